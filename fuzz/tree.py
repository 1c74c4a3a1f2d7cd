"""Mutates MessagePack as the tree it is, so that what comes out can still be decoded."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, Final

import msgspec

_NUMBERS: Final = (0, 1, -1, 2, 255, 4_096, 4_097, 2**31, 2**40, 2**53, 2**63 - 1, -(2**63), 2**64 - 1)
_OTHERS: Final[tuple[Any, ...]] = (
    None, True, False, 0.5, -0.0, float("nan"), float("inf"), "", "\0", "é\U0001f44b", "=1+1", "a" * 300,
    b"\xff",    [], {}, [[]], {"": None}, msgspec.msgpack.Ext(5, b"x"),
)  # fmt: skip


def mutated(data: bytes, longest: int, seed: int, words: tuple[bytes, ...]) -> bytes | None:
    """Return the tree with a few nodes changed, or `None` where there is none or it became too long."""
    chance = random.Random(seed)
    try:
        root = [msgspec.msgpack.decode(data)]
        for _ in range(chance.randint(1, 4)):
            _change(root, chance, words)
        changed = msgspec.msgpack.encode(root[0])
    except (msgspec.MsgspecError, RecursionError, TypeError, OverflowError, ValueError):
        return None
    return changed if len(changed) <= longest else None


def _change(root: list[Any], chance: random.Random, words: tuple[bytes, ...]) -> None:
    """Replace, copy, remove or rename one node."""
    places = list(_places(root))
    parent, key = chance.choice(places)
    donor, donor_key = chance.choice(places)
    doing = chance.randrange(8)
    if doing == 0 and parent is not root:
        del parent[key]
    elif doing == 1 and isinstance(parent, list) and parent is not root:
        parent.insert(key, donor[donor_key])
    elif doing == 2 and isinstance(parent, dict):  # noqa: PLR2004 - the branches are numbered
        parent[_word(chance, words)] = parent.pop(key)
    elif doing == 3:  # noqa: PLR2004 - as above
        parent[key] = msgspec.msgpack.decode(msgspec.msgpack.encode(donor[donor_key]))
    else:
        parent[key] = _near(parent[key], chance, words)


def _near(value: Any, chance: random.Random, words: tuple[bytes, ...]) -> Any:
    """Return another value, often of the same kind."""
    if isinstance(value, bool) or chance.randrange(6) == 0:
        return chance.choice(_OTHERS)
    if isinstance(value, int):
        return chance.choice((value + 1, value - 1, -value, value * 2, chance.choice(_NUMBERS)))
    if isinstance(value, str):
        at = chance.randrange(len(value) + 1)
        return chance.choice(
            (value[:at], value[at:] + _word(chance, words), value + value, _word(chance, words))
        )
    if isinstance(value, list):
        return chance.choice((value * 2, value[::-1], value[:1]))
    if isinstance(value, bytes) and value:
        flipped = bytearray(value)
        flipped[chance.randrange(len(value))] ^= 1 << chance.randrange(8)
        return bytes(flipped)
    return chance.choice((*_NUMBERS, *_OTHERS))


def _word(chance: random.Random, words: tuple[bytes, ...]) -> str:
    return chance.choice(words).decode(errors="replace")


def _places(parent: Any) -> Iterator[tuple[Any, Any]]:
    """Yield where values stand: a container and the key or position in it."""
    items = parent.items() if isinstance(parent, dict) else enumerate(parent)
    for key, value in items:
        yield parent, key
        if isinstance(value, dict | list):
            yield from _places(value)
