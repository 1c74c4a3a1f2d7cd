"""The collector fails as it is told to: a fault that does not happen would make every client look good."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PATIENCE = 240
SCRIPT = """
import json
from http.client import HTTPConnection
from collector.handle import collecting, counted
from collector.moods import Mood

BODY = json.dumps({"batch": [{"uuid": one, "properties": {"n": 1}} for one in ("a", "b")]})
met = {}
with collecting("http") as collector:
    for mood in Mood:
        collector.be(mood)
        timeout_s = 0.5 if mood is Mood.HANGING else 60  # the others answer, however busy the machine is
        connection = HTTPConnection("127.0.0.1", collector.port, timeout=timeout_s)
        try:
            connection.request("POST", "/batch/", BODY)
            answer = connection.getresponse().status
        except OSError as error:
            answer = type(error).__name__
        connection.close()
        taken = counted(collector.taken())
        met[mood] = [answer, taken.requests, taken.delivered, taken.copies, taken.doubled]
print(json.dumps(met))
"""


def test_each_mood_is_what_it_is_called_and_takes_what_it_should():
    printed = subprocess.check_output([sys.executable, "-c", SCRIPT], cwd=BENCHMARKS, timeout=PATIENCE)

    nothing = [0, 0, 0, 0]
    once_under_two_ids = [1, 1, 1, 1]
    assert json.loads(printed) == {
        "healthy": [200, *once_under_two_ids],
        "refusing": ["ConnectionRefusedError", *nothing],
        "failing": [500, *nothing],
        "throttling": [429, *nothing],
        "hanging": ["TimeoutError", *nothing],
        "resetting": ["ConnectionResetError", *nothing],
        "losing": ["ConnectionResetError", *once_under_two_ids],
    }


GARBLED = """
import json
from http.client import HTTPConnection
from collector.handle import collecting, counted
from collector.moods import Mood

met = []
with collecting("http") as collector:
    collector.be(Mood.HEALTHY)
    for body in ("", "{", "[]", json.dumps({"MessageBody": json.dumps({"n": 1})})):
        connection = HTTPConnection("127.0.0.1", collector.port, timeout=60)
        connection.request("POST", "/", body, {"X-Amz-Target": "AmazonSQS.SendMessage"})
        met.append(connection.getresponse().status)
        connection.close()
    taken = counted(collector.taken())
print(json.dumps([met, taken.requests, taken.delivered]))
"""


def test_what_cannot_be_read_is_refused_and_counts_for_nothing():
    printed = subprocess.check_output([sys.executable, "-c", GARBLED], cwd=BENCHMARKS, timeout=PATIENCE)

    assert json.loads(printed) == [[400, 400, 400, 200], 1, 1]
