"""Names a request by its route's template, so that no id, address or query string gets into the numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

UNMATCHED: Final = "(no route)"
_LONGEST: Final = 24
"""Characters of a path segment that may be a word of the API's own; longer ones are taken for values."""
_WORD: Final = re.compile(r"(?:v\d+|[A-Za-z][A-Za-z._~-]*)")
_NOT_FOUND: Final = 404
_NOT_ALLOWED: Final = 405


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
