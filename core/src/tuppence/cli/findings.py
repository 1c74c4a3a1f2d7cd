"""What the doctor finds: one line for each thing looked at."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How it is."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the doctor looked at.

    Attributes:
        state: only `WRONG` makes the doctor's exit status 1.
        part: what was looked at, in a word.
        detail: what was found.
        mend: what to do about it; empty when it is well.

    """

    state: State
    part: str
    detail: str
    mend: str = ""


def ok(part: str, detail: str) -> Finding:
    """Return that a part is well."""
    return Finding(state=State.OK, part=part, detail=detail)


def note(part: str, detail: str, mend: str = "") -> Finding:
    """Return something worth knowing that is not wrong."""
    return Finding(state=State.NOTE, part=part, detail=detail, mend=mend)


def wrong(part: str, detail: str, mend: str) -> Finding:
    """Return something that has to be mended, and how."""
    return Finding(state=State.WRONG, part=part, detail=detail, mend=mend)
