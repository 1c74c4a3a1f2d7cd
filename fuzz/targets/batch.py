"""The batch reader, on bytes as they come: what is not packed by a writer is refused in words."""

from __future__ import annotations

from collections.abc import Iterator

import samples
from properties import check_counting, read_batch
from tuppence.batch import MAGIC

WORDS = (MAGIC, b"\x28\xb5\x2f\xfd")
MAX_LEN = 2_048


def check(data: bytes) -> None:
    """Read a message."""
    if read_batch(data) is not None:
        check_counting({"0": data})


def seeds() -> Iterator[bytes]:
    """Yield valid messages."""
    yield from samples.messages()
