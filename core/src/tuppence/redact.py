"""Replaces what identifies a person or opens a door, before an event is written anywhere.

What is recognised: e-mail, IP and street addresses; phone, card and account numbers; passwords, keys and
tokens. Each becomes a word in brackets, so that the sentence still reads. A pattern is no proof: it misses
what has no pattern (a name), and replaces a harmless number that looks like an account.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final

_STREETS: Final = (
    "street|st|road|rd|avenue|ave|lane|ln|drive|boulevard|blvd|court|square|terrace|crescent|way"
)

_NAMES: Final = (
    "pass(?:word|phrase|code)?|pwd|secret|api[ _-]?key|access[ _-]?key|(?:auth[ _-]?)?token|pin|cvv|cvc"
)
_FLAGS: Final = re.IGNORECASE | re.DOTALL


def _pattern(**kinds: str) -> Callable[[], re.Pattern[str]]:
    """Return a function that compiles a pattern when it is first needed: all would delay a start by 10 ms."""
    whole = "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in kinds.items())
    return cache(lambda: re.compile(whole, _FLAGS))


# Every pattern starts where its kind can begin, and either gives back nothing of what it took or takes a
# bounded number of characters: the time is linear in the length of the text.
_KEYS: Final = _pattern(
    key=r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|\Z)"
)
_CREDENTIALS: Final = _pattern(credentials=r"(?<=://)[^\s/:@]++:[^\s/@]++(?=@)")
_UUID: Final = r"(?<![\w-])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])"
_TOKENS: Final = _pattern(
    bearer=r"\bbearer [\w.~+/-]{16,}+=*",
    known=(
        r"\b(?:eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*|(?:sk|pk|rk)[-_][\w-]{16,}+|gh[pousr]_\w{20,}+"
        r"|github_pat_\w{20,}+|glpat-[\w-]{16,}+|xox[abeoprs]-[\w-]{10,}+|(?:AKIA|ASIA)[A-Z0-9]{16}\b|AIza[\w-]{30,}+"
        r"|SG\.[\w-]{16,}+\.[\w-]{16,}+)"
    ),
    uuid=_UUID,
    mixed=r"(?<![\w-])[\w-]{32,}+",
)
_SEPARATOR: Final = re.compile(r"(\s+is\s+|\s*[:=]\s*)", re.IGNORECASE)
_IS: Final = re.compile(r"\s[Ii][Ss]\s")
_SHORTEST_TOKEN: Final = 15
_NAMED: Final = _pattern(
    named=rf"\b(?:{_NAMES})(?:\s{{1,3}}is\s{{1,3}}|\s{{0,3}}[:=]\s{{0,3}})(?!\[)[^\s,;]++"
)
_EMAIL: Final = _pattern(email=r"(?<![\w.+-])[\w.+-]++@[\w-]++(?:\.[\w-]++)++")
_IP: Final = _pattern(ip=r"\b(?:\d{1,3}\.){3}\d{1,3}\b|(?<![\w:])(?:[0-9a-f]{1,4}:{1,2}){2,7}[0-9a-f]{1,4}\b")
_PLACES: Final = _pattern(
    street=rf"\b\d{{1,5}}[a-z]?,? (?:[^\W\d_][\w'-]{{1,24}} ){{1,3}}(?:{_STREETS})\b",
    postcode=r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b",
)
_ACCOUNTS: Final = _pattern(uuid=_UUID, iban=r"\b[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_LONGEST_NUMBER: Final = 41  # digits; what is longer is no number of anyone's
_NUMBERS: Final = _pattern(
    uuid=_UUID,
    date=(
        r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?"
        r"|\b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d\d)\b"
    ),
    number=rf"(?:[+(]|(?<![\w.,]))\d(?:[ ().\-/]{{0,2}}\d){{5,{_LONGEST_NUMBER - 1}}}(?!\w)",
)
_DIGIT: Final = re.compile(r"\d")
# Looks that decide whether a pattern is worth its time. They begin with what is rare in a text, so that `re`
# is soon done with the rest.
_LONG: Final = re.compile(rf"\S{{{_SHORTEST_TOKEN}}}")
_IN_A_PLACE: Final = re.compile(
    rf"\d\w? \d[^\W\d_]{{2}}\b|\d[^\W\d_]?,? (?:[^\W\d_][\w'-]{{1,24}} ){{1,3}}(?:{_STREETS})\b",
    re.IGNORECASE,
)
_LIKE_AN_IBAN: Final = re.compile(r"[A-Za-z]{2}\d\d(?: ?[A-Za-z0-9]{4}){2}")
_SECRETS: Final = re.compile("pass|pwd|secret|key|token|pin|cv[vc]")
_SECRET_IS: Final = re.compile("(?:pass(?:word|phrase|code)?|pwd|secret|key|token|pin|cv[vc]) {1,3}is ")
_SIX_DIGITS: Final = re.compile(r"\d(?:[ ().\-/]{0,2}\d){5}")
_DOTS: Final = 3
_SOME_COLONS: Final = 2
_WORDS: Final = {
    "key": "[key]",
    "credentials": "[secret]",
    "known": "[token]",
    "email": "[email]",
    "street": "[address]",
    "postcode": "[address]",
}
_COLONS: Final = 7  # in a full address, RFC 4291
_LONGEST_PHONE: Final = 15  # digits, ITU-T E.164
_SHORTEST_PHONE: Final = 7
_SHORTEST_CARD: Final = 13  # ISO/IEC 7812
_LONGEST_CARD: Final = 19
_SHORTEST_ACCOUNT: Final = 8
_LONG_ENOUGH: Final = 9  # digits in groups that are a phone number without + ( or 0 in front
_SORT_CODE: Final = re.compile(r"\d\d-\d\d-\d\d")
_AMOUNT: Final = re.compile(r"\d+\.\d{1,2}")

_SIGNS: Final = b"0123456789@:=\t\n\v\f\r\x1c\x1d\x1e\x1f"
"""In ASCII, what all patterns but those for keys and tokens need, and the blanks that are no space."""
_IN_WORDS: Final = bytes(code for code in range(128) if chr(code).isalnum()) + b"_-.~+/"
_WORDS_AS_X: Final = bytes.maketrans(_IN_WORDS, b"x" * len(_IN_WORDS))
_LONG_WORD: Final = b"x" * _SHORTEST_TOKEN
_SHORTEST_IBAN: Final = 12
"""Characters that the pattern asks for at least."""
_HARMLESS: Final = re.compile(
    rf"(?=.{{1,{_SHORTEST_IBAN - 1}}}\Z)(?:[0-9]*+[A-Za-z_]\w*+-?)*+[0-9]{{0,5}}"
    rf"|(?=.{{1,{_SHORTEST_TOKEN - 1}}}\Z)(?:[0-9]{{0,5}}[A-Za-z_]-?)*+[0-9]{{0,5}}|{_UUID}",
    re.IGNORECASE | re.ASCII,
)
"""Names as applications make them, which no pattern matches: too short for an account of letters and digits,
with a letter in each part, so that it is no number; or too short for a token, with few digits in a row."""


def may_identify(text: str) -> bool:
    """Whether a text deserves to be searched for what identifies.

    It runs in every capture call. One pass over a text in ASCII clears most: there is neither a digit nor one
    of the signs to delete from it, and no long word.
    """
    if not text.isascii():
        return True
    words = text.encode().translate(_WORDS_AS_X, _SIGNS)
    if len(words) < len(text) or words.find(_LONG_WORD) >= 0:
        return _HARMLESS.fullmatch(text) is None
    lowered = text.lower()
    return "-----" in text or (" is " in lowered and _SECRET_IS.search(lowered) is not None)


def redact_text(text: str) -> str:
    """Return `text` with what identifies or unlocks replaced by a word in brackets.

    A pattern is tried only where a cheaper look finds what it cannot do without.
    """
    for pattern in _patterns_for(text):
        text = pattern.sub(_replacement, text)
    return text


def _patterns_for(text: str) -> Iterator[re.Pattern[str]]:
    """Yield the patterns worth trying, those for secrets first."""
    if "-----" in text:
        yield _KEYS()
    if "://" in text:
        yield _CREDENTIALS()
    if _LONG.search(text):
        yield _TOKENS()
    if (":" in text or "=" in text or _IS.search(text)) and _SECRETS.search(text.casefold()):
        yield _NAMED()
    if "@" in text:
        yield _EMAIL()
    if text.count(".") >= _DOTS or text.count(":") >= _SOME_COLONS:
        yield _IP()
    if _DIGIT.search(text):
        yield from _patterns_of_numbers_for(text)


def _patterns_of_numbers_for(text: str) -> Iterator[re.Pattern[str]]:
    if _IN_A_PLACE.search(text):
        yield _PLACES()
    if _SIX_DIGITS.search(text):
        if _LIKE_AN_IBAN.search(text):
            yield _ACCOUNTS()
        yield _NUMBERS()


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
    if name.isdecimal() and name.isascii():  # as messengers number people; a pattern would find it just so
        return _hashed(name) if _SHORTEST_ACCOUNT <= len(name) <= _LONGEST_NUMBER else name
    return name if redact_text(name) == name else _hashed(name)


def shortened(name: str, longest: int) -> str:
    """Return a name of at most `longest` characters, distinct for distinct names."""
    return name if len(name) <= longest else _hashed(name)


def _hashed(name: str) -> str:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=10, person=b"tuppence")
    return f"~{digest.hexdigest()}"


def _replacement(match: re.Match[str]) -> str:
    """Return the word for what was found, or what was found where a second look clears it."""
    kind, found = match.lastgroup or "", match[0]
    if kind in _WORDS:
        return _WORDS[kind]
    return _SECOND_LOOK[kind](found)


def _kept(found: str) -> str:
    return found


def _bearer(found: str) -> str:
    return f"{found[: len('bearer ')]}[token]"


def _named(found: str) -> str:
    """Keep the name of a secret and replace what it is."""
    name, separator, _ = _SEPARATOR.split(found, maxsplit=1)
    return f"{name}{separator}[secret]"


def _token(found: str) -> str:
    """Tell a token, which mixes letters and digits, from a long word or number."""
    mixed = _DIGIT.search(found) and any(character.isalpha() for character in found)
    return "[token]" if mixed else found


def _ip(found: str) -> str:
    """Tell addresses from the time of day, which has colons too."""
    full = found.count(":") == _COLONS
    is_address = full or "." in found or "::" in found or not found.replace(":", "").isdigit()
    return "[address]" if is_address else found


def _iban(found: str) -> str:
    return "[account]" if _is_iban(found) else found


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


_SECOND_LOOK: Final[dict[str, Callable[[str], str]]] = {
    "uuid": _kept,
    "date": _kept,
    "bearer": _bearer,
    "named": _named,
    "mixed": _token,
    "ip": _ip,
    "iban": _iban,
    "number": _number,
}
