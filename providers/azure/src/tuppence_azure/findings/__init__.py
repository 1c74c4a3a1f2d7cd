"""What `tuppence doctor` is told of each part on Azure: a file for each, loaded when the doctor asks.

A look makes a call or two. What one may not see is a finding, and hides none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from tuppence.clock import Deadline
from tuppence.drivers import Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, note, ok
from tuppence_azure.management import Management

Look = Callable[[Deadline], Iterable[Finding]]

_ALLOW: Final = "Allow it to whoever runs `tuppence doctor`, or look in the Azure portal."
_AGAIN: Final = "Run `tuppence doctor` again."


def looked(deadline: Deadline, *looks: Look) -> Iterator[Finding]:
    """Look at one thing after the other. A driver's `check` says what is missing, and who is not let in."""
    for look in looks:
        try:
            yield from look(deadline)
        except DriverError as error:
            if error.code is ErrorCode.UNAUTHENTICATED:
                return
            if error.code is not ErrorCode.NOT_FOUND:
                yield note(error.message, _ALLOW if error.code is ErrorCode.FORBIDDEN else _AGAIN)


def where(management: Management, operation: str) -> Look:
    """Return the look at subscription and region."""

    def look(deadline: Deadline) -> Iterator[Finding]:
        site: Any = management.call(operation, "GET", Role.PROCESSOR.value, deadline=deadline)
        region = str(site.get("location", "")).lower().replace(" ", "")
        place = f"subscription {management.subscription(operation)}, {region}"
        yield ok(f"{place}, resource group {management.group}", place=place)

    return look
