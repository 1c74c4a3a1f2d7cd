"""How much was lost on the way, told from the numbers that arrived.

An instance numbers its events from 1. A gap counts to the period in which the number right above it arrived,
so it is known once, whatever arrives later. Numbers that the instance itself says it dropped are gaps as
well, but no loss that nobody knew of: they are counted apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from tuppence.event import shown_name
from tuppence.pipeline.rollup import Seen, arrived, merge_seen
from tuppence.pipeline.sketch import total
from tuppence.runs import holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What did not arrive in a period.

    Attributes:
        lost: numbers that were given out and never seen again, those set aside included.
        set_aside: of those, how many the queue refused, by the instances' own count; their host keeps them.
        dropped: events that fell out of a full journal, by the instances' own count.
        refused: calls that gave no event.
        ignored: statements that could not be recorded; the events they were about are not lost.
        silent: the shown names of instances that said hello and were not heard of again, without goodbye.
        claimed: what instances say, and nothing that arrived bears out: so much more than arrived of them
            that it is in none of the counts above.
        uncertain: numbers that may be missing: there were too many gaps to keep them all.

    """

    lost: int
    set_aside: int
    dropped: int
    refused: int
    ignored: int
    silent: list[str]
    claimed: int
    uncertain: int


MOST_FOR_ONE: Final = 1_000
"""Events that a process is believed to have lost, dropped or refused for each one that arrived of it."""
ALWAYS_BELIEVED: Final = 100_000
"""So many are believed of any process: it may have lost all but its last."""


def loss(before: Mapping[str, Seen], period: Mapping[str, Seen], after: Mapping[str, Seen]) -> Loss:
    """Return what was lost in a period.

    Args:
        before: what arrived of each instance in the time before, at least a day.
        period: in the period itself.
        after: in the time after, as far as it has passed.

    """
    lost = set_aside = dropped = refused = ignored = 0
    silent, claims = [], []
    for name, seen in period.items():
        earlier, later = before.get(name, Seen()), after.get(name, Seen())
        fallen = max(0, seen.dropped - earlier.dropped)
        missing = max(0, _missing(earlier, seen, later) - fallen)
        turned_away = max(0, seen.refused - earlier.refused)
        passed_over = max(0, seen.ignored - earlier.ignored)
        said = missing + fallen + turned_away + passed_over
        if said > ALWAYS_BELIEVED + MOST_FOR_ONE * arrived(seen):
            claims.append(said)
            continue
        lost += missing
        set_aside += min(missing, max(0, seen.set_aside - earlier.set_aside))
        dropped += fallen
        refused += turned_away
        ignored += passed_over
        whole = merge_seen([earlier, seen])
        if whole.hello and not whole.goodbye and name not in after:
            silent.append(shown_name(name))
    return Loss(
        lost=lost,
        set_aside=set_aside,
        dropped=dropped,
        refused=refused,
        ignored=ignored,
        silent=sorted(silent),
        claimed=total(claims),
        uncertain=total(seen.uncertain for seen in period.values()),
    )


def _missing(before: Seen, period: Seen, after: Seen) -> int:
    """Return how many numbers are missing right below one that arrived in the period."""
    whole = merge_seen([before, period, after])
    started = before.hello or period.hello
    runs = [[0, 0], *whole.received] if started else whole.received
    count = sum(
        above[0] - below[1] - 1 for below, above in pairwise(runs) if holds(period.received, above[0])
    )
    if period.goodbye and runs:
        count += max(0, period.captured - runs[-1][1])
    return count
