"""An HTTP proxy on 127.0.0.1 that stands between a driver and an emulator, and does what networks do.

A fault is a function of a request and of `forward`, which passes a request on. It returns an answer, `None`
to break the connection off without one, or `SILENCE` to leave whoever asks waiting.
"""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tuppence.errors import ErrorCode

HOPS = {"connection", "keep-alive", "transfer-encoding", "content-length"}
"""Headers of one connection, which a proxy does not pass on. The others it must: they are signed."""
PATIENCE = 30


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def operation(self):
        """Return what is asked of a service that speaks JSON, as in `PutItem`."""
        names = {name.lower(): value for name, value in self.headers.items()}
        return names.get("x-amz-target", "").rpartition(".")[2]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


Forward = Callable[[Request], Answer]
Fault = Callable[[Request, Forward], Answer | None]

SILENCE = Answer(0, {}, b"")


def refused(request, forward):
    """Break the connection off before anything was done."""


def lost(request, forward):
    """Let the request be carried out, and its answer be lost."""
    forward(request)


def silent(request, forward):
    """Let the request be carried out, and never answer."""
    forward(request)
    return SILENCE


def unavailable(request, forward):
    """Answer as a load balancer whose service is gone."""
    return Answer(503, {"Content-Type": "text/html"}, b"<html>Service Unavailable</html>")


def failing(request, forward):
    """Answer as a service of AWS that has a problem of its own."""
    return error_of(500, "InternalServerError")


def throttling(request, forward):
    """Answer as a service of AWS that is asked too often."""
    return error_of(400, "ThrottlingException")


def expired(request, forward):
    """Answer as a service of AWS that was shown credentials which have expired."""
    return error_of(400, "ExpiredTokenException")


def error_of(status, name):
    body = f'{{"__type": "com.amazonaws#{name}", "message": "made up"}}'
    return Answer(status, {"Content-Type": "application/x-amz-json-1.0"}, body.encode())


EVERYWHERE = (refused, lost, unavailable, failing, throttling)
"""What may happen to any call, and passes."""
CODES = {
    refused: ErrorCode.UNAVAILABLE,
    lost: ErrorCode.UNAVAILABLE,
    unavailable: ErrorCode.UNAVAILABLE,
    failing: ErrorCode.UNAVAILABLE,
    throttling: ErrorCode.THROTTLED,
    expired: ErrorCode.UNAUTHENTICATED,
}
"""What a driver is to call that which ends a call at once."""


class Faulty:
    """The proxy. `url` is what a driver is given for its endpoint.

    Attributes:
        rate: how many of the requests meet one of the faults, from 0 to 1; which ones, the seed decides.
        planned: faults that the next requests meet, one each, `None` being none; they come before chance.
        asked: how many requests came.
        met: how often each fault was met, by its name.

    """

    def __init__(self, upstream, faults=EVERYWHERE, *, rate=0.0, seed=0):
        self.upstream = urlsplit(upstream)
        self.faults = faults
        self.rate = rate
        self.planned = deque()
        self.asked = 0
        self.met = Counter()
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def answer(self, request):
        fault = self._next()
        return self._forward(request) if fault is None else fault(request, self._forward)

    def _next(self):
        with self._lock:
            self.asked += 1
            if self.planned:
                fault = self.planned.popleft()
            else:
                fault = self._chance.choice(self.faults) if self._chance.random() < self.rate else None
            if fault is not None:
                self.met[fault.__name__] += 1
            return fault

    def _forward(self, request):
        connection = HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=PATIENCE)
        try:
            connection.request(request.method, request.path, request.body, dict(request.headers))
            response = connection.getresponse()
            return Answer(response.status, _kept(response.getheaders()), response.read())
        finally:
            connection.close()


def _kept(headers):
    return {name: value for name, value in headers if name.lower() not in HOPS}


def _handler_of(proxy):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def relay(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            # As it came, the name of the host too: the signature is over both.
            kept = {
                name: value for name, value in self.headers.items() if name.lower() not in HOPS - {"date"}
            }
            answer = proxy.answer(Request(self.command, self.path, kept, body))
            if answer is SILENCE:
                self.connection.settimeout(PATIENCE)
                with suppress(OSError):
                    self.rfile.read(1)  # returns when the other side has given up
            if answer is None or answer is SILENCE:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = do_PUT = do_DELETE = relay  # noqa: N815 - the names http.server looks for

        def log_message(self, format, *args):  # noqa: A002 - the base's name for it
            """Say nothing."""

    return Handler
