"""WSGI middleware: one event for each request, recorded after the response has gone out.

app = tuppence.wsgi.Middleware(app, client=tp)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tuppence.capture.client import Client
from tuppence.capture.requests import BROKEN, Recorder, status_code, template

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


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
        self._recorder = Recorder(client, user=user, source=source)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request; it is recorded when the server closes the response."""
        request = _Request(self._recorder, environ)

        def starting(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            request.status = _code(status)
            return start_response(status, headers, *error)

        try:
            body = self.app(environ, starting)
        except BaseException:
            request.status = BROKEN
            request.close()
            raise
        return _Body(body, request)


def _code(status: Any) -> int:
    """Return the number that a status line begins with; that of an error for what is no status line."""
    try:
        return status_code(int(status[:3]))
    except Exception:  # noqa: BLE001 - nothing an application answers may raise here; the server judges it
        return BROKEN


def _route(environ: Environ, status: int) -> str:
    rule = getattr(environ.get("werkzeug.request"), "url_rule", None)
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return template(path, route=getattr(rule, "rule", None), status=status)


class _Request:
    """What is known of one request until it is over."""

    def __init__(self, recorder: Recorder[Environ], environ: Environ) -> None:
        self.status = BROKEN
        self._recorder = recorder
        self._environ = environ
        self._started = time.perf_counter()
        self._open = True

    def close(self) -> None:
        """Record, once."""
        if self._open:
            self._open = False
            method = self._environ.get("REQUEST_METHOD")
            self._recorder.record(
                self._environ, _route, method=method, status=self.status, started=self._started
            )


class _Body:
    """The application's response, passed on as it comes; closing it ends the request."""

    def __init__(self, body: Iterable[bytes], request: _Request) -> None:
        self._body = body
        self._request = request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except Exception:
            self._request.status = BROKEN
            raise

    def close(self) -> None:
        """Close the application's response, then record the request."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._request.close()
