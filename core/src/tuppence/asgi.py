"""ASGI middleware: one event for each request, recorded after the response has gone out.

app = tuppence.asgi.Middleware(app, client=tp)
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from tuppence.capture.client import Client
from tuppence.capture.requests import BROKEN, Recorder, status_code, template

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

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
        self._recorder = Recorder(client, user=user, source=source)

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
                self._recorder.record(
                    scope, _route, method=scope.get("method"), status=final, started=started
                )

        async def sending(message: Message) -> None:
            nonlocal status
            step = message.get("type") if isinstance(message, Mapping) else None
            if step == "http.response.start":
                status = status_code(message.get("status"))
            await send(message)  # the server judges it
            if step == "http.response.body" and not message.get("more_body", False):
                record(status)

        try:
            await self.app(scope, receive, sending)
        except Exception:
            record(BROKEN)
            raise
        finally:
            record(status or _GONE)


def _route(scope: Scope, status: int) -> str:
    route = getattr(scope.get("route"), "path", None)
    return template(scope["path"], route=route, values=scope.get("path_params"), status=status)
