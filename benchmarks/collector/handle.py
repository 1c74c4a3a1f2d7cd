"""The collector as the benchmarks hold it: started, told how to behave, asked what it took."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from collector import speech
from collector.moods import Mood, Request

HOME = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What arrived.

    Attributes:
        requests: how many.
        bytes: theirs, with HTTP's headers; of gRPC, the messages alone.
        delivered: different events.
        copies: events that arrived again.
        doubled: of those, the ones that no backend could have told by an id, and so counted twice.

    """

    requests: int
    bytes: int
    delivered: int
    copies: int
    doubled: int


class Collector:
    """A running collector at `port`. It refuses until it is told otherwise."""

    def __init__(self, process: subprocess.Popen[str], port: int, folder: Path) -> None:
        self.port = port
        self._process = process
        self._dump = folder / "taken"

    def be(self, mood: Mood) -> None:
        """Behave like this from now on."""
        self._order(mood.value)

    def taken(self) -> list[Request]:
        """Return the requests taken since the last time."""
        self._order(f"dump {self._dump}")
        return cast("list[Request]", pickle.loads(self._dump.read_bytes()))

    def _order(self, line: str) -> None:
        asked, told = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)
        asked.write(f"{line}\n")
        asked.flush()
        if told.readline() != "done\n":
            raise RuntimeError(f"the collector did not {line}")


@contextmanager
def collecting(kind: str) -> Iterator[Collector]:
    """Run a collector that speaks `http` or `grpc` until the block ends."""
    port = _free_port()
    command = [sys.executable, "-m", "collector.server", kind, str(port)]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            command, cwd=HOME, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        try:
            yield Collector(process, port, Path(folder))
        finally:
            cast("IO[str]", process.stdin).close()
            process.kill()
            process.wait()
            cast("IO[str]", process.stdout).close()


def _read(request: Request) -> list[speech.Event]:
    """Return the events of a request; none where it cannot be read."""
    try:
        return list(speech.events(request))
    except speech.UNREADABLE:
        return []


def counted(requests: Sequence[Request]) -> Taken:
    """Count events: those that arrived, arrived again, and would be counted again.

    What arrives without a number was not the benchmark's, such as a successor's first sign of life.
    """
    arrived: Counter[int] = Counter()
    known: dict[int, set[str | None]] = {}
    unknown: Counter[int] = Counter()
    for request in requests:
        for n, identity in _read(request):
            if n < 0:
                continue
            arrived[n] += 1
            if identity is None:
                unknown[n] += 1
            else:
                known.setdefault(n, set()).add(identity)
    return Taken(
        requests=len(requests),
        bytes=sum(request.size for request in requests),
        delivered=len(arrived),
        copies=arrived.total() - len(arrived),
        doubled=sum(unknown[n] + len(known.get(n, ())) - 1 for n in arrived),
    )


def identities(requests: Sequence[Request]) -> int:
    """Return how many events a backend that tells repeats by their ids would count."""
    return len({identity for request in requests for _, identity in speech.events(request)})


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
