"""What capturing costs an application that runs on Lambda: each way of sending, with a queue and without.

    PYTHONPATH=tests python benchmarks/lambda_capture.py [--requests 1000]

A handler of 12 ms runs under AWS's own runtime client and is really stopped between calls. Its events go to
a server that answers as SQS does after 5 ms, or to one that never answers. Printed are the milliseconds from
the request until the caller has the answer, and from there until the process could be frozen, which are
billed too; medians and 99th percentiles, without the first call, which has lines of its own.
"""

from __future__ import annotations

import argparse
import http.client
import json
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Final

from aws.freezing import Frozen, frozen
from aws.runtime_api import environment
from emulators import UV

FAR: Final = 0.005
"""Seconds that SQS in the same region takes to answer."""
BARE: Final = """\
import time

def handler(event, context):
    time.sleep(0.012)
    return {"answer": "Yes, on Tuesdays."}
"""
CAPTURING: Final = """\
import time

import tuppence

tp = tuppence.Client(provider="aws", project="bot", queue={{"endpoint": "{url}"}}, capture={capture})

def handler(event, context):
    with tp.question("Do you deliver to Cork?", user="u1") as q:
        time.sleep(0.012)
        q.answered(model="mine")
    return {{"answer": "Yes, on Tuesdays."}}
"""
WRAPPED: Final = (
    CAPTURING
    + """
from tuppence_aws import extension

handler = extension.wrap(handler, client=tp)
"""
)
FLUSHING: Final = (
    CAPTURING
    + """
answer = handler

def handler(event, context):
    answered = answer(event, context)
    tp.flush(0.05)
    return answered
"""
)


@dataclass(frozen=True)
class Way:
    """A way of sending: the application's text, its settings, and the seconds between two calls."""

    name: str
    text: str
    capture: str = "{}"
    apart: float = 0.0


OFTEN: Final = '{"flush_interval": "100ms"}'
WAYS: Final = (
    Way("no tuppence", BARE),
    Way("capture alone", CAPTURING),
    Way("extension", WRAPPED),
    Way("extension, behind every answer", WRAPPED, OFTEN, 0.1),
    Way("flush(0.05) in the handler", FLUSHING),
)


class Service(BaseHTTPRequestHandler):
    """Takes what it is sent, and tells how much that was when it is asked."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    taken = 0

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        taken = [{"Id": entry["Id"], "MessageId": entry["Id"]} for entry in sent["Entries"]]
        type(self).taken += 1
        time.sleep(FAR)
        self._answer(json.dumps({"Successful": taken}).encode())

    def do_GET(self) -> None:
        self._answer(json.dumps(self.taken).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name for it
        pass

    def _answer(self, answer: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def serve(told: Connection) -> None:
    """Be the queue, in a process of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    told.send(server.server_port)
    server.serve_forever()


@contextmanager
def answering() -> Iterator[int]:
    """Run a queue that takes everything; yield its port."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


@contextmanager
def silent() -> Iterator[int]:
    """Open a port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        yield listener.getsockname()[1]


def taken(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return int(json.loads(connection.getresponse().read()))
    finally:
        connection.close()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--python", type=Path, help="one that has awslambdaric; made when left out")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        python = told.python or environment(Path(scratch) / "venv", UV, sys.executable)
        print(f"{'':46}{'until answered':>20}{'until frozen':>20}{'first call':>18}{'messages':>10}")
        for state, queue in (("a queue", answering), ("a dead queue", silent)):
            for number, way in enumerate(WAYS):
                root = Path(scratch) / f"{queue.__name__}{number}"
                root.mkdir()
                with queue() as port:
                    show(f"{way.name}, {state}", python, root, way, port, told.requests)


def show(name: str, python: Path, root: Path, way: Way, port: int, requests: int) -> None:
    """Print one line."""
    text = way.text
    if text is not BARE:
        text = text.format(url=f"http://127.0.0.1:{port}", capture=way.capture)
    (root / "app.py").write_text(text, encoding="utf-8")
    with frozen(python, root) as process:
        first = timed(process)
        answered, rested = zip(*(timed(process, way.apart) for _ in range(requests)), strict=True)
        process.shut_down()
    messages = "" if "dead" in name else str(taken(port))
    both = f"{first[0] * 1e3:9.1f} +{first[1] * 1e3:6.1f}"
    print(f"{name:46}{shown(answered):>20}{shown(rested):>20}{both:>18}{messages:>10}", flush=True)


def timed(process: Frozen, apart: float = 0.0) -> tuple[float, float]:
    """Make one call; return the seconds until it was answered, and from there until all could be frozen."""
    time.sleep(apart)
    start = time.perf_counter()
    process.thaw()
    process.api.call({})
    answered = time.perf_counter()
    process.freeze()
    return answered - start, time.perf_counter() - answered


def shown(seconds: tuple[float, ...]) -> str:
    """Return median and 99th percentile in milliseconds."""
    return f"{median(seconds) * 1e3:.1f} / {sorted(seconds)[int(len(seconds) * 0.99)] * 1e3:.1f}"


if __name__ == "__main__":
    main()
