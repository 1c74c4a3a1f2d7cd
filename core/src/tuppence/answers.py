"""Whether a driver's answer can be one to what it was asked.

A driver whose service breaks off may bring less than was asked for, or something else. What is seen of that
here is an error of the call, which is tried again, and never a shorter answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuppence.drivers import Delivery, ItemError, Key, Page, Record
from tuppence.errors import DriverError, ErrorCode


def check_errors(errors: Sequence[ItemError], items: int, operation: str) -> Sequence[ItemError]:
    """Return the errors of a batch of so many items. Raises `DriverError` where one is of none of them."""
    positions = [error.position for error in errors]
    if len(set(positions)) < len(positions) or not set(range(items)).issuperset(positions):
        raise _mismatch(operation, "an error of another item")
    return errors


def check_records(
    found: Sequence[Record | None], keys: Sequence[Key], operation: str
) -> Sequence[Record | None]:
    """Return what was found at keys. Raises `DriverError` unless it is one record or `None` for each."""
    if len(found) != len(keys):
        raise _mismatch(operation, f"{len(found)} records for {len(keys)} keys")
    if any(record is not None and record.key != key for record, key in zip(found, keys, strict=True)):
        raise _mismatch(operation, "a record of another key")
    return found


def check_page(
    page: Page, partition: str, *, start: str, end: str, limit: int, after: str, operation: str
) -> Page:
    """Return a page of a query. Raises `DriverError` where its records are not the next of that query.

    Args:
        page: the page.
        partition: of the query, as the next two.
        start: the first sort key.
        end: the sort key to end before; empty means none.
        limit: how many records at most.
        after: the last sort key of the pages before; empty on the first.
        operation: kind and method.

    """
    sorts = [record.key.sort for record in page.records]
    if len(sorts) > limit or sorts != sorted(set(sorts)):
        raise _mismatch(operation, "records too many, twice, or out of order")
    inside = all(record.key.partition == partition for record in page.records) and not (
        sorts and (sorts[0] < start or (after and sorts[0] <= after) or (end and sorts[-1] >= end))
    )
    if not inside:
        raise _mismatch(operation, "a record outside the query")
    return page


def check_deliveries(found: Sequence[Delivery], most: int, operation: str) -> Sequence[Delivery]:
    """Return deliveries. Raises `DriverError` where they are more than was asked for."""
    if len(found) > most:
        raise _mismatch(operation, f"{len(found)} messages; at most {most} were asked for")
    return found


def _mismatch(operation: str, what: str) -> DriverError:
    message = f"the driver's answer is not one to what was asked: {what}"
    return DriverError(ErrorCode.UNKNOWN, operation=operation, provider="core", message=message)
