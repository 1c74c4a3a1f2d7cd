"""A service in trouble: it refuses, hangs or trickles. For the contract, and for a provider's own tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from types import TracebackType
from typing import Any, ClassVar, Final

import pytest

from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Context, Driver
from tuppence.errors import DriverError
from tuppence.testing.contract import provider_of
from tuppence.testing.driver import ResourceContract

SECRET: Final = "contract-secret-7f3a9"  # noqa: S105 - what no error may repeat
"""What a provider's `open_in_trouble` gives as password or key: no error may repeat it."""
HTTP: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"
"""How an answer over HTTP begins that will not end for hours."""
EVERY: Final = 0.1
"""Seconds between two bytes of an answer that trickles."""
ALLOWED: Final = timedelta(seconds=0.5)
"""What each call is given."""


class Trouble(StrEnum):
    """What is wrong with the service."""

    REFUSES = "refuses"  # nobody listens where it should be
    HANGS = "hangs"  # it lets one in, and says nothing
    TRICKLES = "trickles"  # its answer begins, and comes a byte at a time


Calls = Mapping[str, Callable[[Any, Deadline], object]]
"""The calls to try, by operation."""
OpenInTrouble = Callable[[Context, Trouble], AbstractContextManager[Driver]]


class TroubledService:
    """Something that listens on this machine, in trouble. As a context, it gives host and port.

    Args:
        trouble: what is wrong.
        beginning: how its answer begins, where that trickles.

    """

    def __init__(self, trouble: Trouble, beginning: bytes = HTTP) -> None:
        self._trouble = trouble
        self._beginning = beginning
        self._over = threading.Event()
        self._socket = socket.socket()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> tuple[str, int]:
        self._socket.bind(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        if self._trouble is not Trouble.REFUSES:
            self._socket.listen()
            self._start(self._accept)
        return host, port

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._over.set()
        with suppress(OSError):  # nobody listened
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):  # closed, in the end
            while True:
                self._start(self._serve, self._socket.accept()[0])

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the client has left
            if self._trouble is Trouble.TRICKLES:
                connection.sendall(self._beginning)
            while not self._over.wait(EVERY):
                if self._trouble is Trouble.TRICKLES:
                    connection.sendall(b" ")


class TroubleContract(ResourceContract):
    """What holds while the service is in trouble, for drivers whose calls have a deadline."""

    about = "a service in trouble"
    grace: ClassVar[timedelta] = timedelta(seconds=5)
    """How much later than its deadline a call may end, on a machine that is busy."""

    @pytest.fixture
    def open_in_trouble(self) -> OpenInTrouble:
        """Return the provider's own: a context with a driver whose service is in that trouble."""
        return pytest.skip("no `open_in_trouble` is given")

    def try_in_trouble(
        self, open_in_trouble: OpenInTrouble, context: Context, trouble: Trouble, calls: Calls
    ) -> None:
        """Expect of each call a `DriverError` by its deadline: retryable, rightly named, without a secret."""
        clock = SystemClock()
        with open_in_trouble(replace(context, clock=clock), trouble) as driver:
            for operation, call in calls.items():
                start = clock.monotonic()
                with pytest.raises(DriverError) as caught:
                    call(driver, Deadline.after(ALLOWED, clock))
                took = clock.monotonic() - start

                assert took < (ALLOWED + self.grace).total_seconds(), f"{operation} took {took:.1f} s"
                assert caught.value.code.retryable
                assert caught.value.operation == operation
                assert caught.value.provider == (provider_of(driver) or caught.value.provider)
                assert SECRET not in f"{caught.value!s}{caught.value!r}{caught.value.message}"
            driver.close()
