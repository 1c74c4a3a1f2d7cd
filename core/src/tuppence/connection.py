"""One HTTP connection, kept between calls, of which every step ends by the deadline of the call.

A socket's own timeout starts anew with every read, so an answer that trickles would outlast any deadline.
Only the look-up of a name is the system's, and keeps the system's time. It is what a provider talks HTTP with
where an SDK would cost an application too much.
"""

from __future__ import annotations

import http.client
import io
import os
import selectors
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode

CONNECT: Final = 5.0
"""Seconds for reaching one address, at most."""
KEPT: Final = 30.0
"""Seconds of rest after which a connection is not used again: something on the way may have forgotten it."""
MOST: Final = 32 * 1024 * 1024
"""Bytes of an answer that are read: ten items of 1 MiB in base64, twice over."""
CONNECTED: Final = 200
_STATUSES: Final[Mapping[int, ErrorCode]] = {
    400: ErrorCode.INVALID,
    401: ErrorCode.UNAUTHENTICATED,
    403: ErrorCode.FORBIDDEN,
    404: ErrorCode.NOT_FOUND,
    408: ErrorCode.TIMEOUT,
    409: ErrorCode.ALREADY_EXISTS,
    412: ErrorCode.CONFLICT,
    413: ErrorCode.TOO_LARGE,
    429: ErrorCode.THROTTLED,
    504: ErrorCode.TIMEOUT,
}
_SERVER: Final = 500


class Answer:
    """What came back: status, headers with names in small letters, body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Connection:
    """A connection to one origin, made when first needed. Raises `OSError` or `http.client.HTTPException`.

    Args:
        origin: scheme and host, and a port where it is not the usual one.
        proxied: whether the environment's proxy is used, for `https` only.

    Attributes:
        host: as a request names it.
        handed_over: whether the last request got as far as a connection, and so may have been carried out.

    """

    def __init__(self, origin: str, *, proxied: bool = True) -> None:
        found = urlsplit(origin)
        self._secure = found.scheme == "https"
        self._host = found.hostname or ""
        self._port = found.port or (443 if self._secure else 80)
        self._proxied = proxied and self._secure
        self._http: http.client.HTTPConnection | None = None
        self._timed: Timed
        self._context: ssl.SSLContext | None = None
        self._used = 0.0
        self.handed_over = False
        self.host = found.netloc.rpartition("@")[2]

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", *, deadline: Deadline
    ) -> Answer:
        """Make one request, and read its answer to the end. A connection that failed is not used again."""
        self.handed_over = False
        try:
            connection = self._ready(deadline)
            self.handed_over = True
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = _read_whole(response)
            told: dict[str, str] = {}
            for name, value in response.getheaders():
                known = told.get(name.lower())
                told[name.lower()] = value if known is None else f"{known}, {value}"
        except BaseException:
            self.close()
            raise
        if response.will_close:
            self.close()
        self._used = time.monotonic()
        return Answer(response.status, told, content)

    def close(self) -> None:
        """Let the connection go. The next request makes a new one."""
        if self._http is not None:
            self._http = None
            self._timed.end()

    def authorities(self) -> str | None:
        """Return a file of certificates to trust, or `None` for the machine's."""
        return None

    def _ready(self, deadline: Deadline) -> http.client.HTTPConnection:
        """Return a connection that can be used until the deadline."""
        if self._http is not None and (time.monotonic() - self._used > KEPT or self._timed.ended()):
            self.close()
        if self._http is None:
            self._timed = Timed(self._connected(deadline))
            self._http = http.client.HTTPConnection(self._host, self._port)
            self._http.sock = self._timed  # it has what http.client uses of a socket
        self._timed.deadline = deadline
        return self._http

    def _connected(self, deadline: Deadline) -> socket.socket:
        proxy = _proxy_for(self._host) if self._proxied else ""
        if proxy:
            sock = _tunnel(proxy, f"{self._host}:{self._port}", deadline)
        else:
            sock = _reach(self._host, self._port, deadline)
        if not self._secure:
            return sock
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self.authorities())
        try:
            secured = self._context.wrap_socket(
                sock, server_hostname=self._host, do_handshake_on_connect=False
            )
        except BaseException:
            sock.close()
            raise
        try:
            secured.settimeout(_left(deadline))
            secured.do_handshake()
        except BaseException:
            secured.close()
            raise
        return secured


class Timed:
    """A socket as `http.client` uses it, of which every read and write ends by `deadline`."""

    deadline: Deadline

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def sendall(self, data: bytes) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            self._sock.settimeout(_left(self.deadline))
            view = view[self._sock.send(view) :]

    def makefile(self, _: str) -> io.BufferedReader:
        """Return what one answer is read from; closing it leaves the socket open."""
        return io.BufferedReader(_Reader(self))

    def readinto(self, buffer: Any) -> int:
        """Read what there is."""
        self._sock.settimeout(_left(self.deadline))
        return self._sock.recv_into(buffer)

    def ended(self) -> bool:
        """Whether the other side has closed: before a request, there is nothing else to be read."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._sock, selectors.EVENT_READ)
            return bool(selector.select(0))

    def close(self) -> None:
        """Do nothing: `http.client` closes before it has read an answer that is the connection's last."""

    def end(self) -> None:
        """Close the socket."""
        self._sock.close()


class _Reader(io.RawIOBase):
    """One answer's view of the socket."""

    def __init__(self, sock: Timed) -> None:
        self._timed = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.readinto(buffer)


def code_of(status: int) -> ErrorCode:
    """Return what an HTTP status means by itself, where an answer has no code of its service's own."""
    return _STATUSES.get(status, ErrorCode.UNAVAILABLE if status >= _SERVER else ErrorCode.UNKNOWN)


def unreached(
    error: Exception, *, operation: str, provider: str, trusts: str = "SSL_CERT_FILE"
) -> DriverError:
    """Return what a request that failed without an answer means.

    Args:
        error: what `Connection.request` raised.
        operation: kind and method.
        provider: its name.
        trusts: the environment variable that names other certificates to trust.

    """
    code = ErrorCode.UNAVAILABLE
    if isinstance(error, TimeoutError):
        code, words = ErrorCode.TIMEOUT, "did not answer in time; the call may have been carried out"
    elif isinstance(error, ssl.SSLCertVerificationError):
        words = f"the certificate is not trusted ({error.verify_message}); {trusts} names others to trust"
    elif isinstance(error, http.client.HTTPException | ConnectionResetError | BrokenPipeError):
        words = "closed the connection; the call may have been carried out"
    else:
        words = f"cannot be reached: {error}"
    return DriverError(code, operation=operation, provider=provider, message=words)


def _read_whole(response: http.client.HTTPResponse) -> bytes:
    """Return the whole body of an answer. Raises `http.client.HTTPException` where that cannot be known.

    `HTTPResponse.read` of a number of bytes is silent about a body that ends before its `Content-Length`
    (https://docs.python.org/3/library/http.client.html), and a body without a length ends with the
    connection, for whatever reason that was closed. Of a refusal, the status says enough.
    """
    content = response.read(MOST + 1)
    if len(content) > MOST:
        raise http.client.HTTPException("the answer is too long")
    if response.length:
        raise http.client.IncompleteRead(content, response.length)
    unmarked = response.length is None and not response.chunked
    if unmarked and response.status < http.client.BAD_REQUEST:
        raise http.client.HTTPException("the answer does not say where it ends")
    return content


def _left(deadline: Deadline) -> float:
    """Return the seconds left, for a socket to which 0 would mean something else."""
    left = deadline.remaining()
    if left <= 0:
        raise TimeoutError("no time is left")
    return left


def _reach(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Return a socket connected to the first address of a host that answers."""
    problem: OSError = OSError("no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(min(CONNECT, _left(deadline)))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem


def _proxy_for(host: str) -> str:
    """Return the proxy that the environment names for a host, or nothing."""
    if not (os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")):
        return ""
    from urllib.request import getproxies_environment, proxy_bypass

    return "" if proxy_bypass(host) else getproxies_environment().get("https", "")


def _tunnel(proxy: str, target: str, deadline: Deadline) -> socket.socket:
    """Return a socket connected to `target` through a proxy."""
    found = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    sock = _reach(found.hostname or "", found.port or 80, deadline)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if found.username:
        login = f"{unquote(found.username)}:{unquote(found.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {b64encode(login.encode()).decode()}")
    timed = Timed(sock)
    timed.deadline = deadline
    try:
        timed.sendall("\r\n".join([*lines, "", ""]).encode())
        response = http.client.HTTPResponse(timed, method="CONNECT")  # type: ignore[arg-type]  # as it is used
        response.begin()
        if response.status != CONNECTED:
            raise OSError(f"the proxy answered with status {response.status}")
    except BaseException:
        sock.close()
        raise
    return sock
