"""Cursors that hold where a query's page ended and what was asked, for stores whose service needs no more."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode


def cursor_after(last: str, partition: str, start: str, end: str) -> str:
    """Return the cursor of a page of this query that ended with the sort key `last`. No key holds a slash."""
    return urlsafe_b64encode(f"{partition}/{start}/{end}/{last}".encode()).decode()


def position_in(cursor: str, partition: str, start: str, end: str) -> str | None:
    """Return the sort key a page ended with; `None` for what no page of this very query gave."""
    try:
        given, _, last = urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").rpartition("/")
    except ValueError:
        return None
    return last if last and given == f"{partition}/{start}/{end}" else None
