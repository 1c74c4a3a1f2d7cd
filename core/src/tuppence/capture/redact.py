"""Replaces what identifies a person or opens a door, before an event is written anywhere.

What is recognised: e-mail, IP and street addresses; phone, card and account numbers; passwords, keys and
tokens. Each becomes a word in brackets, so that the sentence still reads. A pattern is no proof: it misses
what has no pattern (a name), and replaces a harmless number that looks like an account.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

_STREETS: Final = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|court|square|terrace|crescent|way"
)

_NAMES: Final = (
    "pass(?:word|phrase|code)?|pwd|secret|api[ _-]?key|access[ _-]?key|(?:auth[ _-]?)?token|pin|cvv|cvc"
)
_KNOWN_TOKENS: Final = (
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",  # JSON web tokens
    r"\b(?:sk|pk|rk)[-_][\w-]{16,}",
    r"\bgh[pousr]_\w{20,}",
    r"\bgithub_pat_\w{20,}",
    r"\bglpat-[\w-]{16,}",
    r"\bxox[abeoprs]-[\w-]{10,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\bAIza[\w-]{30,}",
    r"\bSG\.[\w-]{16,}\.[\w-]{16,}",
    r"(?<=\bbearer )[\w.~+/-]{16,}=*",
)
_GROUPS: Final = (
    ("key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    ("uuid", r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"),
    ("token", "|".join((*_KNOWN_TOKENS, r"\b(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{32,}"))),
    ("secret", rf"(?<=://)[^\s/:@]+:[^\s/@]+(?=@)|\b(?:{_NAMES})(?:\s+is\s+|\s*[:=]\s*)(?!\[)[^\s,;]+"),
    ("email", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    (
        "date",
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?|\b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d\d)\b",
    ),
    (
        "ip",
        r"\b(?:\d{1,3}\.){3}\d{1,3}\b|(?<![\w:])(?=[0-9a-f:]*:[0-9a-f:]*:)[0-9a-f]{1,4}(?::{1,2}[0-9a-f]{1,4}){2,7}\b",
    ),
    ("iban", r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    ("street", rf"\b\d{{1,5}}[a-z]?,? (?:[^\W\d_][\w'-]+ ){{1,3}}(?:{_STREETS})\b"),
    ("postcode", r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"),
    ("number", r"(?<![\w.,])[+(]?\d(?:[ ().\-/]{0,2}\d){5,}(?![\w])"),
)
_PATTERNS: Final = re.compile(
    "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _GROUPS), re.IGNORECASE | re.DOTALL
)
_WORDS: Final = {
    "key": "[key]",
    "token": "[token]",
    "email": "[email]",
    "ip": "[address]",
    "street": "[address]",
    "postcode": "[address]",
}
_LONGEST_PHONE: Final = 15  # digits, ITU-T E.164
_SHORTEST_PHONE: Final = 7
_SHORTEST_CARD: Final = 13  # ISO/IEC 7812
_LONGEST_CARD: Final = 19
_SHORTEST_ACCOUNT: Final = 8
_LONG_ENOUGH: Final = 9  # digits in groups that are a phone number without + ( or 0 in front
_SORT_CODE: Final = re.compile(r"\d\d-\d\d-\d\d")
_AMOUNT: Final = re.compile(r"\d+\.\d{1,2}")

_TELLING: Final = b"0123456789@:="
_OTHERS: Final = bytes(set(range(256)) - set(_TELLING))
_FEW_DIGITS: Final = 3


def may_identify(encoded: bytes) -> bool:
    """Whether the strings inside MessagePack-encoded data deserve a closer look.

    It runs in every capture call, so it looks for single bytes instead of patterns: all patterns above need a
    digit, `@`, `:` or `=`, but for a few secrets told by their name. Numbers in the data do not trouble it:
    MessagePack writes them in binary.
    """
    telling = encoded.translate(None, _OTHERS)
    if telling and not (len(telling) <= _FEW_DIGITS and telling.isdigit()):
        return True
    return b"assw" in encoded or b"ecret" in encoded or b"earer " in encoded


def redact_text(text: str) -> str:
    """Return `text` with what identifies or unlocks replaced by a word in brackets."""
    return _PATTERNS.sub(_replacement, text)


def redact(value: Any) -> Any:
    """Return JSON-like `value` with every string in it redacted; keys stay."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {key: redact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [redact(inner) for inner in value]
    return value


def pseudonym(name: str) -> str:
    """Return the name of a user or session, or a stable stand-in where it looks like personal data.

    The stand-in is a hash: it counts a person as one without naming them, but whoever can guess the name
    can recognise it.
    """
    return name if redact_text(name) == name else _hashed(name)


def shortened(name: str, longest: int) -> str:
    """Return a name of at most `longest` characters, distinct for distinct names."""
    return name if len(name) <= longest else _hashed(name)


def _hashed(name: str) -> str:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=10, person=b"tuppence")
    return f"~{digest.hexdigest()}"


def _replacement(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    found = match[0]
    if kind in {"date", "uuid"}:
        return found
    if kind == "secret":
        if match.string.endswith("://", 0, match.start()):
            return "[secret]"
        name, separator, _ = re.split(r"(\s+is\s+|\s*[:=]\s*)", found, maxsplit=1)
        return f"{name}{separator}[secret]"
    if kind == "iban":
        return "[account]" if _is_iban(found) else _number(found)
    if kind == "number":
        return _number(found)
    return _WORDS[kind]


def _number(found: str) -> str:
    """Tell card, phone and account numbers from amounts and other short numbers."""
    digits = "".join(character for character in found if character.isdigit())
    if _SHORTEST_CARD <= len(digits) <= _LONGEST_CARD and _luhn(digits):
        return "[card]"
    if _SORT_CODE.fullmatch(found):
        return "[account]"
    if _AMOUNT.fullmatch(found):
        return found
    if digits == found:
        return "[account]" if len(digits) >= _SHORTEST_ACCOUNT else found
    starts_like_a_phone = found[0] in "+(0"
    if _SHORTEST_PHONE <= len(digits) <= _LONGEST_PHONE and (
        starts_like_a_phone or len(digits) >= _LONG_ENOUGH
    ):
        return "[phone]"
    return "[account]" if len(digits) > _LONGEST_PHONE else found


def _luhn(digits: str) -> bool:
    """Whether the check digit of a card number is right (ISO/IEC 7812-1)."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def _is_iban(found: str) -> bool:
    """Whether the check digits of an account number are right (ISO 13616)."""
    compact = found.replace(" ", "").upper()
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1
