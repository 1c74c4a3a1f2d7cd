"""Make a week of events from real questions and a real access log, one line of JSON each.

    python convert.py QUESTIONS.csv ACCESS.log > events.ndjson

QUESTIONS.csv has the columns `text` and `category`; ACCESS.log is in the combined log format. The n-th
question is asked at the time, by the visitor and with the result of the n-th request; a log used up begins
again.
"""

import csv
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import cycle
from pathlib import Path
from typing import Any

LINE = re.compile(
    r'(?P<address>\S+) \S+ \S+ \[(?P<time>[^\]]+)\] "(?P<request>[^"]*)" (?P<status>\d+) \S+'
    r' "(?P<referrer>[^"]*)" "(?P<agent>[^"]*)'
)
OUTCOMES = {"403": "refused", "404": "no_match", "416": "invalid", "500": "error"}


def visitor(address: str, agent: str) -> str:
    """Return a name for a visitor that does not repeat their address."""
    return hashlib.sha256(f"{address} {agent}".encode()).hexdigest()[:16]


def channel(agent: str) -> str:
    """Return what kind of program asked."""
    if re.search(r"bot|spider|crawl|slurp", agent, re.IGNORECASE):
        return "bot"
    return "phone" if re.search(r"mobile|android|iphone", agent, re.IGNORECASE) else "web"


def events(questions: Iterable[dict[str, str]], log: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield an event for each question."""
    requests = cycle([found for line in log if (found := LINE.match(line))])
    for number, (question, request) in enumerate(zip(questions, requests, strict=False)):
        at = datetime.strptime(request["time"], "%d/%b/%Y:%H:%M:%S %z")
        who = visitor(request["address"], request["agent"])
        yield {
            "id": f"q{number}",
            "type": "question",
            "time": at.isoformat(),
            "source": channel(request["agent"]),
            "user": who,
            "session": f"{who}-{at:%Y%m%d}",
            "data": {
                "text": question["text"],
                "outcome": OUTCOMES.get(request["status"], "answered"),
                "category": question["category"],
            },
        }


def main(questions: str, log: str) -> None:
    """Write the events to standard output."""
    with Path(questions).open(encoding="utf-8", newline="") as asked:
        lines = Path(log).read_text(encoding="utf-8", errors="replace").splitlines()
        for event in events(csv.DictReader(asked), lines):
            sys.stdout.write(json.dumps(event, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
