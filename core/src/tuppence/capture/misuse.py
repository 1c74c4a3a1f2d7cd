"""Kinds of misuse, and the warning of each: once, through `logging`, with what to do next."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from tuppence.capture.spelling import near_miss
from tuppence.event import MAX_EVENT_BYTES, MAX_NAME

log = logging.getLogger("tuppence")

MAX_WARNINGS: Final = 64
"""Kinds of misuse a client warns of; bounds what it remembers and what it writes into a log."""
MAX_CHECKED_NAMES: Final = 512
"""Names of values a client looks at for slips: an application that makes up more does not misspell them."""


class Misuse(NamedTuple):
    """A kind of misuse, of which a client warns once, and the sentence that says what to do."""

    kind: str
    sentence: str


REFUSED: Final = Misuse(
    "refused",
    "a call gave no event and is counted as refused: a type has to be a printable string of at most "
    f"{MAX_NAME} characters, and what comes with it {MAX_EVENT_BYTES} bytes at most",
)
ENTERED_TWICE: Final = Misuse(
    "entered twice",
    "a question was entered again inside its own block, which does nothing; make a question for each block",
)
CLOSED: Final = Misuse(
    "closed",
    "something was captured after close(), and is lost; close the client when nothing is captured any more",
)
USER_FAILED: Final = Misuse(
    "user failed",
    "the middleware's `user` raised, and its request is recorded without a user; let it return None instead",
)
NOT_AMENDED: Final = Misuse(
    "not amended",
    "an outcome was stated when its question had ended and its journal was closed, and is ignored",
)
TOO_LARGE: Final = Misuse(
    "too large",
    "what was stated of an outcome is too large, and only the outcome is recorded; an event has "
    f"{MAX_EVENT_BYTES} bytes at most",
)
_REQUIREMENTS: Final = {
    "model": "is not a string",
    "input_tokens": "is not a number of tokens, 0 or more",
    "output_tokens": "is not a number of tokens, 0 or more",
    "latency_ms": "is not a number of milliseconds, 0 or more",
    "score": "is not a number from 0 to 1",
    "sources": "is not a list of strings",
    "useful": "is not True or False",
    "cause": "is not a short string",
    "question": "is not the `id` of a question",
    "outcome": "is stated by calling the method of that name, such as no_match()",
    "text": "is the question itself; give the words of the answer another name, such as `answer`",
}
"""Why a value was left out, as the end of a sentence."""


def wrong_value(name: str) -> Misuse:
    """Return the misuse of a value that the report could not read."""
    return Misuse(f"value {name}", f"a value of `{name}` is left out, because it {_REQUIREMENTS[name]}")


def failure(method: str, error: Exception) -> Misuse:
    """Return the warning of a method that failed for no fault of its caller's."""
    reason = (isinstance(error, OSError) and error.strerror) or type(error).__name__
    return Misuse(
        f"failure {method}", f"{method}() failed ({reason}); what was captured is kept and tried again"
    )


def misfit(method: str) -> Misuse:
    """Return the misuse of a method that was called with arguments that do not fit it."""
    return Misuse(
        f"arguments {method}",
        f"{method}() was called with arguments that it does not take, or without one that it needs; what "
        "fits is recorded, and the rest is left out",
    )


def misspelt(name: str, meant: str) -> Misuse:
    """Return the misuse of a keyword that was kept as a value of the application's own."""
    return Misuse(
        f"name {name}",
        f"`{name}` is kept as a value of your own; if you meant `{meant}`, which the report reads, correct "
        "its spelling",
    )


def early(method: str) -> Misuse:
    """Return the misuse of an outcome that was stated before the block."""
    return Misuse(
        "early",
        f"{method}() was called before the block of its question; it counts only if the question is entered "
        "afterwards, as in `with tp.question(text) as q:`",
    )


def late(method: str) -> Misuse:
    """Return the misuse of an outcome that was stated after the block."""
    return Misuse(
        "late",
        f"{method}() was called after the block of its question had ended; it counts only if the question is "
        "not packed for sending by then, so keep the block open until the whole answer has been streamed",
    )


class MisuseWarnings:
    """Warns of each kind of misuse once. Nothing an application handed in goes into the log."""

    def __init__(self) -> None:
        self._given: set[str] = set()
        self._checked: set[str] = set()

    def warn(self, misuse: Misuse) -> None:
        """Warn, unless it has been done for this kind. Never raises, whatever handler the log has."""
        if misuse.kind in self._given or len(self._given) >= MAX_WARNINGS:
            return
        self._given.add(misuse.kind)
        with suppress(Exception):  # a handler of the application's fails, and there is no one left to tell
            log.warning("tuppence: %s", misuse.sentence)

    def check_names(self, names: Sequence[str]) -> None:
        """Warn of names that look like a misspelt keyword. Each is looked at once, and no more than a few."""
        if len(self._checked) >= MAX_CHECKED_NAMES:
            return
        fresh = set(names) - self._checked
        self._checked |= fresh
        for name in fresh:
            meant = near_miss(name)
            if meant is not None:
                self.warn(misspelt(name, meant))
