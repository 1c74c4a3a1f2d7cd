"""Which questions are the same one in other words: spelling, plurals, spaces, filler words.

Careful rather than clever: every word that carries meaning must be there, in the same order. A number, a
negation or a content word more or less makes another question. The result depends on what was asked and how
often alone, never on an order.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

WORDS: Final = 40
"""Words of one question that are looked at one by one; what follows must be the same to the letter."""
ESTABLISHED: Final = 4
"""A word used so often is taken to be spelt right."""
RARER: Final = 4
"""A misspelling is so many times rarer than the word it stands for."""
VOCABULARY: Final = 10_000
"""Established words kept to compare with, the most used first."""
SHORTEST: Final = 5
"""Shorter words are too close to each other: `form` is no misspelling of `from`."""
LONGEST: Final = 24
SUBSTITUTED: Final = 6
"""From this length on a wrong letter is a misspelling; in a shorter word it makes another (`prize`)."""

_FILLERS: Final = frozenset(["a", "an", "the", "my", "please", "pls", "hi", "hello", "hey"])
_AFTER_HOW: Final = frozenset(["do", "does", "can", "could", "would", "should", "i", "we", "one", "to"])
_NEGATED: Final = ("do", "does", "did", "is", "are", "was", "has", "have", "could", "would", "should")
_SHORT_FORMS: Final = {
    "im": "i am",
    "ive": "i have",
    "whats": "what is",
    "wheres": "where is",
    "hows": "how is",
    "whens": "when is",
    "whos": "who is",
    "cannot": "can not",
    "cant": "can not",
    "wont": "will not",
    **{f"{verb}nt": f"{verb} not" for verb in _NEGATED},
}


def grouped(weights: Mapping[str, int]) -> dict[str, str]:
    """Return for each question the one that stands for its group: the most asked, then the first in order.

    Args:
        weights: questions in their normal form (`texts.key_of`), with how often each was asked.

    """
    words = {key: _words(key) for key in weights}
    used: Counter[str] = Counter()
    for key, weight in weights.items():
        for word in words[key]:
            used[word] += weight
    right = _spellings(used)
    ranked = sorted(weights, key=lambda key: (-weights[key], key))
    by_letters: dict[str, str] = {}
    by_meaning: dict[str, str] = {}
    leaders: dict[str, str] = {}
    for key in ranked:
        spelt = by_letters.setdefault(_joined(key.split()), key)
        leaders[key] = by_meaning.setdefault(_meaning(spelt, words[spelt], right), key)
    return leaders


def _words(key: str) -> list[str]:
    """Return the first words of a question: short forms spelt out, plurals as singulars."""
    spelt = (_SHORT_FORMS.get(word, word) for word in key.split()[:WORDS])
    return [_singular(word) for word in " ".join(spelt).split()]


def _singular(word: str) -> str:
    plural = len(word) >= SHORTEST and word[-1] == "s" and word[-2] not in "siu"
    return word[:-1] if plural else word


def _meaning(key: str, spelt: list[str], right: Mapping[str, str]) -> str:
    """Return what two askings of the same question have in common."""
    words = [right.get(word, word) for word in spelt]
    kept = [word for word in words if word not in _FILLERS]
    if "how" in kept:
        at = kept.index("how") + 1
        while at < len(kept) and kept[at] in _AFTER_HOW:
            del kept[at]
    return _joined([*(kept or words), *key.split()[WORDS:]])


def _joined(words: list[str]) -> str:
    """Join words without spaces, which people misplace; but `1 2` is not `12`."""
    return "".join(f" {word} " if _holds_number(word) else word for word in words)


def _spellings(used: Mapping[str, int]) -> dict[str, str]:
    """Return for each misspelt word the one it stands for."""
    candidates = sorted(
        (word for word, times in used.items() if times >= ESTABLISHED and _correctable(word)),
        key=lambda word: (-used[word], word),
    )
    near: dict[str, list[str]] = {}
    for word in candidates[:VOCABULARY]:
        for form in _shortened(word):
            near.setdefault(form, []).append(word)
    right: dict[str, str] = {}
    for word in sorted(filter(_correctable, used), key=lambda word: (-used[word], word)):
        found = [
            other
            for form in _shortened(word)
            for other in near.get(form, ())
            if used[other] >= RARER * used[word] and _misspelt(word, other)
        ]
        if found:
            best = min(found, key=lambda other: (-used[other], other))
            right[word] = right.get(best, best)
    return right


def _misspelt(word: str, other: str) -> bool:
    """Whether one slip of the finger makes `other` into `word`; nobody slips on the first letter."""
    from rapidfuzz.distance import OSA

    if word[0] != other[0] or OSA.distance(word, other, score_cutoff=1) != 1:
        return False
    swapped = sorted(word) == sorted(other)
    return swapped or len(word) != len(other) or len(word) >= SUBSTITUTED


def _correctable(word: str) -> bool:
    """Whether a word may be a misspelling: long enough, and of a script that writes letter by letter."""
    cased = all(letter.upper() != letter for letter in word)
    return SHORTEST <= len(word) <= LONGEST and cased


def _shortened(word: str) -> Iterator[str]:
    """Yield the word, and the word less each of its letters: two words one slip apart have one in common."""
    yield word
    yield from {word[:at] + word[at + 1 :] for at in range(len(word))}


def _holds_number(word: str) -> bool:
    return any(letter.isnumeric() for letter in word)
