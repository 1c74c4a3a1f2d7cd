"""The events that all clients are given: questions, as a small chatbot is asked them."""

from __future__ import annotations

import random
from typing import Any

OPENINGS = (
    "How do I",
    "Why does my",
    "Can you",
    "Where is the",
    "Is there a",
    "What happens when the",
    "When",
)
VOCABULARY = """
card payment parcel order refund invoice address account password delivery discount student plan
telephone cancel change arrive return exchange currency transfer statement limit branch machine contact
weekend holiday abroad gift voucher size colour stock warranty repair broken missing late early twice
yesterday tomorrow online receipt photo document driver courier neighbour tracking number support
language subscription renew upgrade trial fee charge balance declined pending
"""
WORDS = VOCABULARY.split()
MODELS = ("llama-3.1-8b", "mistral-7b")


def event(n: int) -> dict[str, Any]:
    """Return the keywords of the event numbered `n`, the same ones every time.

    Those numbered below 0 are a successor's own, and count for nothing.
    """
    chance = random.Random(n)
    words = " ".join(chance.choices(WORDS, k=chance.randint(3, 9)))
    return {
        "n": n,
        "text": f"{chance.choice(OPENINGS)} {words}?",
        "user": f"user-{chance.randrange(1_000)}",
        "session": f"{random.Random(n // 4).getrandbits(32):08x}",
        "latency_ms": round(chance.lognormvariate(6, 0.6)),
        "model": chance.choice(MODELS),
    }
