"""What became of a week's events on their way: counted, doubled, dropped, refused, lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuppence.pipeline.loss import loss
from tuppence.pipeline.rollup import Seen, merge_instances
from tuppence.report.document import Arrival
from tuppence.report.numbers import Numbers


def arrival(weeks: Sequence[Numbers], at: int, after: Mapping[str, Seen]) -> Arrival:
    """Return what became of the events of `weeks[at]`.

    Args:
        weeks: oldest first; a capturing process may run through many of them.
        at: which of them.
        after: what arrived of each process since the last of them.

    """
    this = weeks[at]
    found = loss(
        merge_instances(week.instances for week in weeks[:at]),
        this.instances,
        merge_instances([*(week.instances for week in weeks[at + 1 :]), after]),
    )
    accepted = this.total.events
    return Arrival(
        captured=accepted + this.duplicates + found.dropped + found.refused + found.lost,
        accepted=accepted,
        duplicates=this.duplicates,
        contradicted=this.contradicted,
        dropped=found.dropped,
        refused=found.refused,
        ignored=found.ignored,
        lost=found.lost,
        set_aside=found.set_aside,
        unreadable=this.unreadable,
        conflicting=this.conflicting,
        silent_instances=len(found.silent),
        claimed=found.claimed,
        uncertain=found.uncertain,
        untraced=this.untraced,
    )
