"""What both middlewares do: one event for a request, named by its route's template.

No id, address or query string gets into the numbers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar

from tuppence.capture import misuse
from tuppence.capture.client import Client
from tuppence.event import REQUEST

Context = TypeVar("Context")
"""What the server hands an application with a request: ASGI's scope or WSGI's environment."""

BROKEN: Final = 500

UNMATCHED: Final = "(no route)"
_LONGEST: Final = 24
"""Characters of a path segment that may be a word of the API's own; longer ones are taken for values."""
_WORD: Final = re.compile(r"(?:v\d+|[A-Za-z][A-Za-z._~-]*)")
_LEAST: Final = 100
_MOST: Final = 999
_NOT_FOUND: Final = 404
_NOT_ALLOWED: Final = 405


class Recorder(Generic[Context]):
    """Records requests.

    Args:
        client: where events go.
        user: returns who asks, given the request's context; optional.
        source: the channel to record.

    """

    def __init__(
        self, client: Client, *, user: Callable[[Context], str | None] | None, source: str | None
    ) -> None:
        self._client = client
        self._user = user
        self._source = source

    def record(
        self,
        context: Context,
        route: Callable[[Context, int], str],
        *,
        method: Any,
        status: int,
        started: float,
    ) -> None:
        """Record a request that is over. What the application left in its context cannot make this fail.

        Args:
            context: the request's.
            route: returns the route's template, given context and status.
            method: as in `GET`.
            status: the answer's.
            started: when the request came in, by `time.perf_counter()`.

        """
        try:
            where = route(context, status)
        except Exception:  # noqa: BLE001 - as the docstring says
            where = "(unreadable)"
        try:
            who = self._user(context) if self._user else None
        except Exception:  # noqa: BLE001 - as the docstring says
            who = None
            self._client.ignore(misuse.USER_FAILED)
        self._client.capture(
            REQUEST,
            user=who,
            source=self._source,
            method=method,
            route=where,
            status=status,
            latency_ms=round((time.perf_counter() - started) * 1000),
        )


def status_code(status: Any) -> int:
    """Return an HTTP status code, given as a number or an enumeration; that of an error for anything else."""
    try:
        return int(status) if isinstance(status, int) and _LEAST <= status <= _MOST else BROKEN
    except Exception:  # noqa: BLE001 - nothing an application answers may raise here
        return BROKEN


def template(
    path: str, *, route: Any = None, values: Mapping[str, Any] | None = None, status: int = 200
) -> str:
    """Return the route's template.

    Args:
        path: the path asked for, without its query string.
        route: the template, where the framework tells it.
        values: what the framework took from the path, by parameter, where it tells that.
        status: the answer's; a path that nothing matched is not repeated, since anyone can make one up.

    """
    if isinstance(route, str) and route:
        return route
    if status in {_NOT_FOUND, _NOT_ALLOWED}:
        return UNMATCHED
    names = {str(value): f"{{{name}}}" for name, value in (values or {}).items()}
    return "/".join(names.get(segment) or _named(segment) for segment in path.split("/")) or "/"


def _named(segment: str) -> str:
    """Return a path segment that reads like a word, and a placeholder for one that reads like a value."""
    word = len(segment) <= _LONGEST and (not segment or _WORD.fullmatch(segment))
    return segment if word else "{id}"
