"""Write the test vectors of the batch format: python scripts/batch_vectors.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from tuppence.batch import PREFIX, Header, pack
from tuppence.event import Event

FILE = Path(__file__).parents[1] / "docs" / "reference" / "batch-vectors.json"
NINE = 1_794_819_600_000  # 2026-11-16T09:00:00Z, in milliseconds


def cases() -> dict[str, tuple[Header, list[Event]]]:
    """Return a header and events for each vector."""
    asked = [
        Event(
            time=NINE + 250 * seq,
            type="question",
            seq=seq,
            source="web",
            user=f"u{seq % 2}",
            data={"text": "Grüße 👋", "outcome": "answered", "latency_ms": 412.5},
        )
        for seq in (7, 8, 9, 10, 11, 12, 13, 14, 15)
    ]
    asked[3].data["rare"] = {"nested": [1, -2, None, True]}
    named = [
        Event(time=NINE + 59 * 60_000, type="question", id="b", data={"text": "Open today?"}),
        Event(time=NINE, type="signup", id="a", user="u1", session="s1", data={"plan": "free"}),
    ]
    return {
        "captured": (_header(9, first=7, last=15, captured=20, dropped=1, refused=2, ignored=3), asked),
        "hello": (
            _header(1, first=1, last=1, captured=1, hello=True),
            [Event(time=NINE, type="signup", seq=1)],
        ),
        "goodbye without events": (_header(0, captured=20, goodbye=True), []),
        "goodbye after a batch was refused": (
            _header(0, captured=20, set_aside=20, hello=True, goodbye=True),
            [],
        ),
        "from outside": (Header(project="mybot", hour="2026111609", count=2), named),
    }


def vectors() -> list[dict[str, Any]]:
    """Return the vectors: what goes in, and every stage of what comes out."""
    return [_vector(name, header, events) for name, (header, events) in cases().items()]


def _header(count: int, **told: Any) -> Header:
    return Header(project="mybot", hour="2026111609", count=count, instance="5f0c8b2f9a1d4e77", **told)


def _vector(name: str, header: Header, events: list[Event]) -> dict[str, Any]:
    batch = pack(header, events)
    start = PREFIX + int.from_bytes(batch.body[PREFIX - 4 : PREFIX], "little")
    return {
        "name": name,
        "header": msgspec.to_builtins(header),
        "events": [msgspec.to_builtins(event) for event in events],
        "header_bytes": batch.body[PREFIX:start].hex(),
        "columns": zstandard.ZstdDecompressor().decompress(batch.body[start:]).hex(),
        "message": batch.body.hex(),
        "id": batch.id,
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(vectors(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
