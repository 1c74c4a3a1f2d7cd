"""A chatbot for a bakery, and all that its owner wants to know of it.

    python app.py < questions.txt

A line is who asks and what, as in `ann: When do you open?`. Where an answer helped, the next line says so:
`ann: +`, and `ann: -` where it did not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import tuppence

ANSWERS = {
    "open opening hours close when today sunday": "We open at seven, every day but Monday.",
    "bread rye sourdough loaf fresh": "Rye and sourdough come out of the oven at six.",
    "order cake birthday": "Order cakes two days ahead, by telephone or at the counter.",
    "gluten flour allergy nuts vegan": "Every label says what is in it; the oat cookies are vegan.",
    "park parking where address bus": "We are at the market, bus stop Old Well.",
}
LEAST = 1
"""Words that a question and an answer's keys must have in common."""


def best(question: str) -> tuple[int, str]:
    """Return how many words of the question lead to the best answer, and that answer."""
    words = {word.strip("?!.,").lower() for word in question.split()}
    return max((len(words & set(keys.split())), answer) for keys, answer in ANSWERS.items())


def reply(tp: tuppence.Client, user: str, text: str) -> tuple[str, str]:
    """Answer one question; return the answer, and the id under which feedback may come."""
    with tp.question(text, user=user, session=user, source="terminal") as asked:
        found, answer = best(text)
        if found < LEAST:
            asked.no_match()
            return "I do not know. Ask at the counter!", asked.id
        asked.answered(model="keywords", score=min(1.0, found / 3), sources=["faq"])
        return answer, asked.id


def serve(tp: tuppence.Client, lines: Iterable[str]) -> Iterator[str]:
    """Answer line after line."""
    last: dict[str, str] = {}
    for line in lines:
        user, _, text = (part.strip() for part in line.partition(":"))
        if text in {"+", "-"}:
            tp.feedback(last.get(user, ""), useful=text == "+", user=user)
        elif text:
            answer, last[user] = reply(tp, user, text)
            yield f"{user}: {answer}"


if __name__ == "__main__":
    with tuppence.Client() as client:
        for said in serve(client, sys.stdin):
            print(said)
