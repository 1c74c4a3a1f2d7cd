"""The redactor: never fails, takes time in proportion, and is never passed by the quick look before it.

A first byte of 0xff repeats what stands before the first `|` over 64 KiB, where steps that grow faster than
the text take minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tuppence.redact import may_identify, pseudonym, redact_text

MAX_LEN = 400
WORDS = tuple(
    word.encode()
    for word in (
        "password", " is ", "is", ": ", "=", "pin", "TOKEN", "+44 20 7946 0958", "@", "a@b.co", "://",
        "Bearer ", "sk-", "eyJ", "ghp_", "AKIA", "GB82 WEST 1234 5698 7654 32", "::1", "fe80:",
        "12 High Street", "SW1A 1AA",
        "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", "4111 1111 1111 1111", "2026-11-16",
        "192.168.1.10", "550e8400-e29b-41d4-a716-446655440000", "12-34-56", "1234567.89", "[secret]", "|",
    )
)  # fmt: skip
_REPEATED: Final = 0xFF
_LONG: Final = 64 * 1024


def check(data: bytes) -> None:
    """Redact a text, and what many of them in a row are."""
    text = data[1:].decode(errors="replace")
    redacted = redact_text(text)
    if redacted != text:
        assert may_identify(text)
    assert redact_text(text) == redacted
    pseudonym(text)
    if text and data[0] == _REPEATED:
        repeated, _, end = text.partition("|")
        redact_text(repeated * (_LONG // max(1, len(repeated))) + end)


def seeds() -> Iterator[bytes]:
    """Yield a text of each kind, once and many times."""
    for word in WORDS:
        yield b"\x01my " + word + b" ok"
        yield b"\xff" + word
        yield b"\xffa|" + word
        yield b"\xff" + word[: len(word) // 2] + b"| @x: = z"
