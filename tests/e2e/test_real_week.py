"""Real questions at real times, from import to report, counted a second time without tuppence."""

import csv
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from e2e.count import count, told

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TEST_DATA", ROOT.parent / "shared" / "data"))
QUESTIONS = DATA / "banking77" / "train.csv"
LOG = DATA / "apache_logs" / "access.log"

pytestmark = pytest.mark.skipif(
    not (QUESTIONS.exists() and LOG.exists()),
    reason="the data sets are not shipped; CONTRIBUTING.md says where they come from and where to put them",
)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata"])
def test_ten_thousand_real_questions_are_reported_exactly(tuppence, report, configure, tmp_path, zone):
    configure(zone)
    with (tmp_path / "events.ndjson").open("wb") as lines:
        subprocess.run(
            [sys.executable, ROOT / "examples/real_week/convert.py", QUESTIONS, LOG], stdout=lines, check=True
        )

    tuppence("import", "events.ndjson")
    tuppence("drain")
    tuppence("seal")

    events = counted_events()
    for week in ("2015-W20", "2015-W21"):
        assert told(report(week)) == count(events, zone, week)
    assert sum(report(week)["totals"]["questions"] for week in ("2015-W20", "2015-W21")) == 10_003


def counted_events():
    """Read the two files anew, for the count."""
    convert = runpy.run_path(str(ROOT / "examples/real_week/convert.py"))
    with QUESTIONS.open(encoding="utf-8", newline="") as asked:
        log = LOG.read_text(encoding="utf-8", errors="replace").splitlines()
        return list(convert["events"](csv.DictReader(asked), log))
