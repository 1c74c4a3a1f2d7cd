"""What `tuppence doctor` is told of each part on Google Cloud: a file for each, loaded when the doctor asks.

A look makes a call or two. What one may not see is a finding, and hides none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, note

Look = Callable[[Deadline], Iterable[Finding]]

_ALLOW: Final = "Allow it to whoever runs `tuppence doctor`, or look in the Google Cloud console."
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


def where(place: str) -> str:
    """Return in words what Google's addresses begin with, `projects/…/locations/…`."""
    _, project, _, region = place.split("/")
    return f"project {project}, {region}"
