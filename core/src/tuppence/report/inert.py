"""Makes what strangers typed harmless to show: one line, of bounded length, that does nothing.

HTML is escaped by the templates; here goes what escaping leaves alive.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

WIDTH: Final = 150
"""Characters of a question that the mail shows."""
NAME: Final = 48
"""Characters of a name, as of a route or a channel, that the mail shows."""
MARKS: Final = 3
"""Accents kept on one letter; a pile of them would cover the lines above and below."""
_LINK: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:)\S+", re.IGNORECASE)
_FORMULA: Final = ("=", "+", "-", "@")


def line(text: str, width: int = WIDTH) -> str:
    """Return `text` as one line: no control, invisible or direction-changing characters, cut at `width`."""
    kept: list[str] = []
    marks = 0
    for character in text[: width * 8]:
        category = unicodedata.category(character)
        marks = marks + 1 if category[0] == "M" else 0
        if category[0] in "CZ":
            kept.append(" " if category in {"Cc", "Zs", "Zl", "Zp"} else "")
        elif marks <= MARKS:
            kept.append(character)
    flat = " ".join("".join(kept).split())
    return flat if len(flat) <= width else flat[: width - 1].rstrip() + "…"


def unlinked(text: str) -> str:
    """Return a line in which no mail reader finds an address to make clickable: `evil[.]example`."""
    return _LINK.sub(lambda link: link[0].replace(".", "[.]").replace("://", "[:]//"), text)


def cell(text: str) -> str:
    """Return a line that no spreadsheet takes for a formula: one that would be is led by an apostrophe."""
    flat = line(text, 1_000)
    return f"'{flat}" if flat.startswith(_FORMULA) else flat
