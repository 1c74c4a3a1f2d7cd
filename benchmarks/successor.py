"""The next run of the same program on the same disk, which may find what the last one left there.

    python -m successor CLIENT URL

It captures one event of its own, which counts for nothing, and ends as documented.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from clients import Client, Known, known
from events import event
from process import environment

LIFE: Final = 3.0
"""Seconds that it runs."""
LIMIT: Final = 60.0


def succeed(client: Known, url: str, home: Path) -> bool:
    """Run the program again, if the last one left files in its home; return whether it did."""
    if not any(path.is_file() for path in home.rglob("*")):
        return False
    process = subprocess.Popen(
        [sys.executable, "-m", "successor", client.name, url],
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.wait(LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return True


def main() -> None:
    """Live for a while."""
    name, url = sys.argv[1:]
    client: Client = known(name).load()(url)
    client.capture(**event(-1))
    time.sleep(LIFE)
    client.close()


if __name__ == "__main__":
    main()
