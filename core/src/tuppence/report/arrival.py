"""What became of a week's events on their way: counted, doubled, dropped, refused, lost."""

from __future__ import annotations

from collections.abc import Sequence

from tuppence.pipeline.rollup import Seen, merge_instances, merge_seen
from tuppence.report.document import Arrival
from tuppence.report.numbers import Numbers


def arrival(weeks: Sequence[Numbers]) -> Arrival:
    """Return what became of the events of the last of these weeks, oldest first.

    A run of a capturing process may last for many weeks and counts from its beginning; what belongs to one
    week is what the weeks before do not account for.
    """
    *earlier, this = weeks
    known = merge_instances(week.instances for week in earlier)
    dropped = refused = lost = 0
    for name, seen in this.instances.items():
        before = known.get(name, Seen())
        fallen = max(0, seen.dropped - before.dropped)
        dropped += fallen
        refused += max(0, seen.refused - before.refused)
        lost += max(0, _missing(merge_seen([before, seen])) - _missing(before) - fallen)
    accepted = this.total.events
    return Arrival(
        captured=accepted + this.duplicates + dropped + refused + lost,
        accepted=accepted,
        duplicates=this.duplicates,
        dropped=dropped,
        refused=refused,
        lost=lost,
        unreadable=this.unreadable,
        conflicting=this.conflicting,
        silent_instances=_silent(this),
    )


def _missing(seen: Seen) -> int:
    """Return how many numbers of an instance's sequence did not arrive, up to the last that surely exists."""
    if not seen.received:
        return 0
    first = 1 if seen.hello else seen.received[0][0]
    last = max(seen.received[-1][1], seen.captured if seen.goodbye else 0)
    return last - first + 1 - sum(end - begin + 1 for begin, end in seen.received)


def _silent(this: Numbers) -> int:
    """Count the runs that stopped without a goodbye; one heard on the last day may still be running."""
    ended = (name for name, day in this.last_seen.items() if day < this.week.sunday)
    return sum(not this.instances[name].goodbye for name in ended)
