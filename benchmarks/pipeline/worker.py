"""One step of the measurement, in a process of its own.

python -m pipeline.worker STEP FOLDER EVENTS_A_MONTH
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from . import hours, weeks

STEPS = {
    "fill": (hours.fill, "hours.db"),
    "hours": (hours.measured, "hours.db"),
    "make": (weeks.make, "weeks.db"),
    "weeks": (weeks.measured, "weeks.db"),
}
"""What is done, one after the other, and on which file."""


def main() -> None:
    """Do what the command line names, and print what was seen, as JSON."""
    step, folder, a_month = sys.argv[1:]
    action, file = STEPS[step]
    print(json.dumps(action(Path(folder) / file, int(a_month))))


if __name__ == "__main__":
    main()
