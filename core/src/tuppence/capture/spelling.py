"""Keywords that look like a slip of one that the report reads."""

from __future__ import annotations

from typing import Final

_NAMES: Final = (
    *("user", "session", "source", "question", "useful"),
    *("model", "input_tokens", "output_tokens", "score", "sources", "latency_ms", "cause"),
)
"""The keywords that mean something to the report."""

_LONG: Final = 7
"""Letters of a name of which one more, one less or another is still taken for a slip."""
_LONGEST: Final = 20
"""Letters of a name that may be a slip of a keyword."""


def near_miss(name: str) -> str | None:
    """Return the keyword that a name is probably a slip of, `None` where it is one or resembles none."""
    if name in _NAMES or len(name) > _LONGEST:
        return None
    folded = _fold(name)
    for meant, known in _FOLDED.items():
        if abs(len(folded) - len(meant)) <= 1 and name != f"{known}s" and _is_slip(folded, meant):
            return known
    return None


def _fold(name: str) -> str:
    """Return a name without what people mix up: capitals, underscores, doubled letters."""
    letters = [letter for letter in name.lower() if letter not in "_-"]
    return "".join(letter for at, letter in enumerate(letters) if at == 0 or letters[at - 1] != letter)


def _is_slip(name: str, meant: str) -> bool:
    """Whether two folded names are the same but for two letters swapped or, in long ones, one letter."""
    start = 0
    while start < min(len(name), len(meant)) and name[start] == meant[start]:
        start += 1
    end = 0
    while end < min(len(name), len(meant)) - start and name[-1 - end] == meant[-1 - end]:
        end += 1
    left, right = name[start : len(name) - end], meant[start : len(meant) - end]
    if max(len(left), len(right)) <= 1:
        return not (left or right) or len(meant) >= _LONG
    return len(left) == len(right) == len("ab") and left == right[::-1]


_FOLDED: Final = {_fold(name): name for name in _NAMES}
