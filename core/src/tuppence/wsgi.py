"""WSGI middleware: one event for each request, recorded after the response has gone out.

app = tuppence.wsgi.Middleware(app, client=tp)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from tuppence.capture.client import Client
from tuppence.capture.routes import template
from tuppence.event import REQUEST

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

_BROKEN: Final = 500


class Middleware:
    """Records method, route template, status and latency of every request.

    Args:
        app: the application.
        client: where events go.
        user: returns who asks, given the request's environment; optional.
        source: the channel to record.

    """

    def __init__(
        self,
        app: Application,
        *,
        client: Client,
        user: Callable[[Environ], str | None] | None = None,
        source: str | None = None,
    ) -> None:
        self.app = app
        self._client = client
        self._user = user
        self._source = source

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request; it is recorded when the server closes the response."""
        request = _Request(self._record, environ)

        def starting(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            request.status = int(status[:3])
            return start_response(status, headers, *error)

        try:
            body = self.app(environ, starting)
        except BaseException:
            request.status = _BROKEN
            request.close()
            raise
        return _Body(body, request)

    def _record(self, environ: Environ, status: int, started: float) -> None:
        """Record a request. Whatever the application left behind must not reach its caller as an error."""
        try:
            who = self._user(environ) if self._user else None
            rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
            path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
            where = template(path, route=getattr(rule, "rule", None), status=status)
        except Exception:  # noqa: BLE001 - as the docstring says
            who, where = None, "(unreadable)"
        self._client.capture(
            REQUEST,
            user=who,
            source=self._source,
            method=environ.get("REQUEST_METHOD"),
            route=where,
            status=status,
            latency_ms=round((time.perf_counter() - started) * 1000),
        )


class _Request:
    """What is known of one request until it is over."""

    def __init__(self, record: Callable[[Environ, int, float], None], environ: Environ) -> None:
        self.status = _BROKEN
        self._record = record
        self._environ = environ
        self._started = time.perf_counter()
        self._open = True

    def close(self) -> None:
        """Record, once."""
        if self._open:
            self._open = False
            self._record(self._environ, self.status, self._started)


class _Body:
    """The application's response, passed on as it comes; closing it ends the request."""

    def __init__(self, body: Iterable[bytes], request: _Request) -> None:
        self._body = body
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except Exception:
            self._request.status = _BROKEN
            raise

    def close(self) -> None:
        """Close the application's response, then record the request."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._request.close()
