"""Which questions of a week are compared with each other."""

from random import Random

from tuppence.pipeline.texts import CHARACTERS, Text
from tuppence.report.topics import group


def test_long_questions_are_compared_as_short_ones_are():
    chance = Random(1)
    texts = [" ".join(f"{chance.randrange(10**6)}" for _ in range(40)) for _ in range(2_500)]
    assert sum(map(len, texts)) > CHARACTERS  # more than is kept of one hour

    groups = group({text: Text(text, count=1) for text in texts}, {})

    assert sum(one.now.count for one in groups) == len(texts)
