"""What `tuppence doctor` finds: one line for each thing that was looked at, by core or by a driver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode

_AGAIN: Final = "Run `tuppence doctor` again."


class State(StrEnum):
    """How something was found."""

    OK = "ok"  # well
    NOTE = "note"  # worth knowing, and not wrong
    WRONG = "wrong"  # has to be mended


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing the doctor looked at.

    Attributes:
        state: only `WRONG` makes the doctor's exit status 1.
        part: what was looked at, in a word. A driver leaves it out, and the doctor writes its kind.
        detail: what was found, without secrets and without anyone's address.
        mend: what to do about it, a sentence; empty when it is well.
        place: account and region, as the provider calls them; the doctor compares those of all parts.

    """

    state: State
    detail: str
    part: str = ""
    mend: str = ""
    place: str = ""


def ok(detail: str, *, part: str = "", place: str = "") -> Finding:
    """Return that something is well."""
    return Finding(state=State.OK, detail=detail, part=part, place=place)


def note(detail: str, mend: str = "", *, part: str = "") -> Finding:
    """Return something worth knowing that is not wrong."""
    return Finding(state=State.NOTE, detail=detail, mend=mend, part=part)


def wrong(detail: str, mend: str, *, part: str = "") -> Finding:
    """Return something that has to be mended, and how."""
    return Finding(state=State.WRONG, detail=detail, mend=mend, part=part)


Look = Callable[[Deadline], Iterable[Finding]]
"""One look of a driver's, which may raise `DriverError`."""


def looked(deadline: Deadline, *looks: Look, console: str) -> Iterator[Finding]:
    """Look at one thing after the other. What one may not see is a finding, and hides none of the others.

    Args:
        deadline: by when.
        *looks: what to look at. A driver's `check` says what is missing, and who is not let in.
        console: where people see the same, as in `the AWS console`.

    """
    for look in looks:
        try:
            yield from look(deadline)
        except DriverError as error:
            if error.code is ErrorCode.UNAUTHENTICATED:
                return
            if error.code is not ErrorCode.NOT_FOUND:
                allow = f"Allow it to whoever runs `tuppence doctor`, or look in {console}."
                yield note(error.message, allow if error.code is ErrorCode.FORBIDDEN else _AGAIN)
