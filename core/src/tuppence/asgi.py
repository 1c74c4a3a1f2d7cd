"""ASGI middleware: one event for each request, recorded after the response has gone out.

app = tuppence.asgi.Middleware(app, client=tp)
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from tuppence.capture.client import Client
from tuppence.capture.routes import template
from tuppence.event import REQUEST

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_BROKEN: Final = 500
_GONE: Final = 499
"""Recorded where the caller went away before an answer began; the number is nginx's."""


class Middleware:
    """Records method, route template, status and latency of every HTTP request.

    Args:
        app: the application.
        client: where events go.
        user: returns who asks, given the request's scope; optional.
        source: the channel to record.

    """

    def __init__(
        self,
        app: Application,
        *,
        client: Client,
        user: Callable[[Scope], str | None] | None = None,
        source: str | None = None,
    ) -> None:
        self.app = app
        self._client = client
        self._user = user
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and record it once its last byte has been sent or it has failed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        recorded = False

        def record(final: int) -> None:
            nonlocal recorded
            if not recorded:
                recorded = True
                self._record(scope, final, started)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                record(status)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            record(_BROKEN)
            raise
        finally:
            record(status or _GONE)

    def _record(self, scope: Scope, status: int, started: float) -> None:
        """Record a request. What the application left in its scope must not reach its caller as an error."""
        try:
            who = self._user(scope) if self._user else None
            route = getattr(scope.get("route"), "path", None)
            where = template(scope["path"], route=route, values=scope.get("path_params"), status=status)
        except Exception:  # noqa: BLE001 - as the docstring says
            who, where = None, "(unreadable)"
        self._client.capture(
            REQUEST,
            user=who,
            source=self._source,
            method=scope.get("method"),
            route=where,
            status=status,
            latency_ms=round((time.perf_counter() - started) * 1000),
        )
