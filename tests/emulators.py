"""Counterparts of cloud services, started for tests on 127.0.0.1 and stopped with them."""

from __future__ import annotations

import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
AHEAD = Path(__file__).parent / "ahead"
UV = ROOT / ".tools" / "bin" / "uv"
MINISTACK = "ministack==1.5.33"
PATIENCE = 90
"""Seconds for a service to start; the first time its packages are fetched."""


class ServiceClock:
    """The clock of services that were started with `environment`, and of whoever is to agree with them.

    It goes on by itself, and to wait is to move it on: for the services too, so that nobody waits.
    """

    def __init__(self, file: Path) -> None:
        file.write_bytes(struct.pack("d", 0.0))
        with file.open("r+b") as opened:
            self._seconds = mmap.mmap(opened.fileno(), 8)
        self._passed = 0.0
        self._lock = threading.Lock()
        self.environment = {"TIME_AHEAD": str(file), "PYTHONPATH": str(AHEAD)}

    def now(self) -> datetime:
        """Return the wall-clock time, in UTC."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead())

    def monotonic(self) -> float:
        """Return seconds that never run backwards, not even when the clock is put right."""
        return time.monotonic() + self._passed

    def sleep(self, seconds: float) -> None:
        """Move on at once."""
        self.advance(timedelta(seconds=seconds))

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._passed += span.total_seconds()
            self._set(self._ahead() + span.total_seconds())

    def put_right(self) -> None:
        """Show the time of the machine again: what is stored then lies in the past."""
        self._set(0.0)

    def _ahead(self) -> float:
        seconds: float = struct.unpack("d", self._seconds)[0]
        return seconds

    def _set(self, seconds: float) -> None:
        self._seconds[:] = struct.pack("d", seconds)


@contextmanager
def ministack(**environment: str) -> Iterator[str]:
    """Run ministack: functions, event sources and schedules really run on it, and policies are enforced.

    It has an environment of its own, since it pins the SDK exactly.
    """
    port = free_port()
    told = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",  # without it, every interface
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        **environment,
    }
    command = [str(UV), "tool", "run", "--quiet", "--from", MINISTACK, "ministack"]
    with _running(command, port, told):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def moto(**environment: str) -> Iterator[str]:
    """Run moto's server: the second opinion, and it keeps mail as it was sent."""
    port = free_port()
    command = [sys.executable, str(ROOT / "tests" / "moto_one_by_one.py"), str(port)]
    with _running(command, port, {"MOTO_PORT": str(port), **environment}):
        yield f"http://127.0.0.1:{port}"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextmanager
def _running(command: Sequence[str], port: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Run a service until the block ends, from when it accepts connections."""
    scripts = ROOT / ".venv" / "bin"
    told = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", **environment}
    process = subprocess.Popen(
        command,
        env={**told, "UV_PYTHON_DOWNLOADS": "never"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        _wait_for(port, process)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(5)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with status {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 0.3).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args} did not listen within {PATIENCE} s")
