"""The texts: what was asked in an hour, merged where it was the same, and bounded.

They stand beside the numbers and live only as long as the events they came from.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

import msgspec

VERSION: Final = 1
TEXTS: Final = 1_000
"""Distinct texts kept for one day's share of an hour; the most asked stay."""
CHARACTERS: Final = 500_000
"""Characters of them together: five hundred for each of a thousand. A message that compresses well may hold a
thousand texts of thousands."""
CAUSES: Final = 64
"""Causes kept of one text."""
ASKERS: Final = 32
"""People named by hash for a text that more than so many asked within an hour: the lowest hashes, so that a
merge keeps the same ones in any order."""
ALL_ASKERS: Final = 128
"""People named for a text over several hours before it, too, keeps the lowest `ASKERS` only."""

_CROWD: Final = 8 * ALL_ASKERS
"""Askers gathered of a text before it is looked who came twice."""


class Text(msgspec.Struct, omit_defaults=True, gc=False):
    """One thing that was asked, in the words of one who asked it.

    Attributes:
        text: redacted; of all spellings with the same key the first in code-point order.
        count: how often.
        outcomes: questions by outcome.
        causes: those not answered, by `outcome/cause`.
        askers: keyed hashes of the people who asked, sorted.
        sampled: whether `askers` are but the lowest `ASKERS` of them.
        useful_yes, useful_no: what people said of the answers.

    """

    text: str
    count: int = 0
    outcomes: dict[str, int] = {}
    causes: dict[str, int] = {}
    askers: list[int] = []
    sampled: bool = False
    useful_yes: int = 0
    useful_no: int = 0


class Times(msgspec.Struct, gc=False):
    """How often a text was asked, and nothing else of it."""

    count: int = 0


class Texts(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What was asked in a UTC hour, by day of the owner's clock (`2026-11-16`).

    `days` maps a day to its texts by key, the question in its normal form (`key_of`). `left_out` counts the
    questions whose texts did not fit.
    """

    version: int = VERSION
    days: dict[str, dict[str, Text]] = {}
    left_out: dict[str, int] = {}


class Counts(msgspec.Struct, kw_only=True):
    """Of a record of texts no more than how often each was asked, which is read in a fraction of the time."""

    version: int = VERSION
    days: dict[str, dict[str, Times]] = {}


def key_of(text: str) -> str:
    """Return the normal form that makes two askings the same question: case, width, punctuation and space."""
    if text.isascii():
        return " ".join(text.translate(_ASCII).split()) or text.lower().strip()
    import unicodedata

    folded = unicodedata.normalize("NFKC", text).casefold()
    words = "".join(c if c.isalnum() else "" if c in "'\u2019" else " " for c in folded).split()
    return " ".join(words) or folded.strip()


_ASCII: Final = {
    code: None if chr(code) == "'" else chr(code).lower() if chr(code).isalnum() else " "
    for code in range(128)
}


def most_asked(counts: Mapping[str, int], most: int, characters: int | None = None) -> list[str]:
    """Return up to `most` keys, the most asked first; of those asked as often, in code-point order.

    With a number of `characters`, it ends before the key with which they would have more together.
    """
    keys = sorted(counts)
    keys.sort(key=counts.__getitem__, reverse=True)
    if characters is None:
        return keys[:most]
    lengths = accumulate(map(len, keys[:most]))
    return keys[: bisect_right(list(lengths), characters)]


def merge_texts(parts: Iterable[Text]) -> Text:
    """Return several records of one text as one."""
    texts = list(parts)
    merged = Text(texts[0].text)
    for text in texts:
        add_text(merged, text)
    settle(merged)
    return merged


def add_text(merged: Text, text: Text) -> None:
    """Add a record to another of the same text, which is `settle`d when all have been added."""
    merged.text = min(merged.text, text.text)
    merged.count += text.count
    merged.useful_yes += text.useful_yes
    merged.useful_no += text.useful_no
    for into, table in ((merged.outcomes, text.outcomes), (merged.causes, text.causes)):
        for name, count in table.items():
            into[name] = into.get(name, 0) + count
    merged.sampled = merged.sampled or text.sampled
    merged.askers += text.askers
    if len(merged.askers) > _CROWD:
        settle(merged)


def settle(text: Text) -> None:
    """Put a text's askers in order, each once; keep the lowest hashes only if there are too many."""
    askers = sorted(set(text.askers))
    text.sampled = text.sampled or len(askers) > ALL_ASKERS
    text.askers = askers[: ASKERS if text.sampled else None]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(Texts)
_read_counts = msgspec.msgpack.Decoder(Counts)


def encode(texts: Texts) -> bytes:
    """Return the texts' one form in bytes."""
    return _encoder.encode(texts)


def decode(body: bytes) -> Texts:
    """Return the texts of these bytes. Raises `msgspec.MsgspecError`."""
    return _decoder.decode(body)


def decode_counts(body: bytes) -> Counts:
    """Return how often each of these texts was asked. Raises `msgspec.MsgspecError`."""
    return _read_counts.decode(body)
