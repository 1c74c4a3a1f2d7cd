"""Lambda's Extensions API, as a thread of the function's own process uses it: an internal extension.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import http.client
import selectors
import signal
import socket
import threading
import time
from collections.abc import Mapping
from typing import Final

import msgspec

PATIENCE: Final = 1.0
"""Seconds for registering; the API is on this machine."""
TRIES: Final = 5
PAUSE: Final = 0.2
"""Seconds between two tries to ask for the next call."""
_PATH: Final = "/2020-01-01/extension"
_IDENTIFIER: Final = "Lambda-Extension-Identifier"
_OK: Final = 200
_AT_ONCE: Final = 64


class Call(msgspec.Struct, rename="camel"):
    """What is told of a call when it begins; its deadline in milliseconds since 1970."""

    request_id: str = ""
    deadline_ms: int = 0


class ExtensionsApi:
    """One extension's side of the API. Raises `OSError` or `http.client.HTTPException`.

    Args:
        address: host and port.
        name: the extension's, which no other of the function has.

    """

    def __init__(self, address: str, name: str) -> None:
        self._address = address
        self._name = name
        self._connection = http.client.HTTPConnection(address)  # no timeout: the next call may be hours away
        self._told: Mapping[str, str] = {}

    def register(self) -> None:
        """Become an extension that is told of calls; of the end, internal ones cannot be."""
        self._signals, self._noted = socket.socketpair()
        try:
            self._told = {_IDENTIFIER: self._registered()}
        except BaseException:
            self._signals.close()
            self._noted.close()
            raise
        self._notice_signals()

    def next(self) -> Call | None:
        """Say that all is done, and return the next call once there is one; `None` once SIGTERM has come."""
        for tries_left in reversed(range(TRIES)):
            try:
                return self._next()
            except (OSError, http.client.HTTPException):
                self._connection.close()
                if not tries_left:
                    raise
                time.sleep(PAUSE)
        raise AssertionError("the last try returns or raises")

    def _registered(self) -> str:
        """Return the identifier that the extension is given."""
        body, headers = b'{"events": ["INVOKE"]}', {"Lambda-Extension-Name": self._name}
        connection = http.client.HTTPConnection(self._address, timeout=PATIENCE)
        try:
            connection.request("POST", f"{_PATH}/register", body, headers)
            response = connection.getresponse()
            response.read()
        finally:
            connection.close()
        identifier = response.getheader(_IDENTIFIER)
        if response.status != _OK or not identifier:
            raise http.client.HTTPException(f"registering was answered with status {response.status}")
        return identifier

    def _notice_signals(self) -> None:
        """Have Python write the signals it notices where this thread reads them.

        Its handlers run in the main thread alone: too late where the signal came to another, as behind a
        freeze it often does, or where the main thread is inside the runtime's own client.
        """
        self._noted.setblocking(False)  # noqa: FBT003 - the standard library's signature
        if threading.current_thread() is threading.main_thread():
            before = signal.set_wakeup_fd(self._noted.fileno(), warn_on_full_buffer=False)
            if before != -1:
                signal.set_wakeup_fd(before)  # someone else reads them

    def _next(self) -> Call | None:
        self._connection.request("GET", f"{_PATH}/event/next", headers=self._told)
        if self._ends():
            return None
        response = self._connection.getresponse()
        content = response.read()
        if response.status != _OK:
            raise http.client.HTTPException(f"asking was answered with status {response.status}")
        return msgspec.json.decode(content, type=Call)

    def _ends(self) -> bool:
        """Wait for an answer or for SIGTERM; return whether it was that."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection.sock, selectors.EVENT_READ)
            selector.register(self._signals, selectors.EVENT_READ)
            while self._signals in {key.fileobj for key, _ in selector.select()}:
                if signal.SIGTERM in self._signals.recv(_AT_ONCE):
                    return True
        return False
