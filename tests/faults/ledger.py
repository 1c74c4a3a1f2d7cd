"""The law of conservation: what was captured is counted, refused, dropped or a dead letter, each once."""

from dataclasses import dataclass
from datetime import timedelta

from faults import promises
from faults.stages import NINE, runtime, soon
from tuppence.pipeline import dead, layout
from tuppence.pipeline.reader import read_days
from tuppence.pipeline.rollup import merge_instances

DAY = timedelta(days=1)


@dataclass(kw_only=True)
class Ledger:
    """What became of the events of some processes, all columns in events."""

    promised: int = 0
    counted: int = 0
    refused: int = 0
    dropped: int = 0
    dead: int = 0
    lost: int = 0
    twice: int = 0

    def __add__(self, other):
        return Ledger(**{name: getattr(self, name) + getattr(other, name) for name in vars(self)})

    def __str__(self):
        return ", ".join(f"{name} {getattr(self, name):,}" for name in vars(self))


def sealed(folder):
    """Return how many events the sealed days hold, and what arrived of each instance."""
    with runtime(folder) as running:
        first, last = NINE.date() - 9 * DAY, NINE.date() + 9 * DAY
        rollups = read_days(running.store, running.config.project, first, last, deadline=soon()).rollups
    events = sum(cell.events for rollup in rollups.values() for cell in rollup.cells.values())
    return events, merge_instances(rollup.instances for rollup in rollups.values())


def results(folder):
    """Return the bodies of everything sealed, and the reasons of the dead letters, by key."""
    with runtime(folder) as running:
        store, project = running.store, running.config.project
        day = layout.day(project, NINE.date()).partition
        partitions = [day, *(f"{project}.{kind}.{NINE:%Y%m}" for kind in ("hours", "texts"))]
        found = {
            record.key: record.body for one in partitions for record in store.query(one, deadline=soon())
        }
        letters = {one.id: one.reason for one in dead.letters(store, project, deadline=soon())}
        markers = list(store.query(layout.dirty(project), deadline=soon()))
    assert not markers
    return found | letters


def of_capture(folder, records):
    """Return the ledger of capturing processes, from their own records and from what is sealed."""
    events, instances = sealed(folder)
    ledger = Ledger(counted=events)
    for path in records:
        instance, last, refused = promises.read(path)
        if not instance:
            continue
        seen = instances[instance]
        arrived = sum(high - low + 1 for low, high in seen.received)
        kept = sum(max(0, min(high, last) - low + 1) for low, high in seen.received)
        assert seen.goodbye, (path, instance, last, seen)
        assert seen.captured == arrived + seen.dropped
        assert seen.captured - last in (0, 1)
        assert seen.refused - refused in (0, 1)
        ledger += Ledger(
            promised=last,
            refused=seen.refused,
            dropped=seen.dropped,
            lost=max(0, last - kept - seen.dropped),
        )
    ledger.twice = events - sum(high - low + 1 for seen in instances.values() for low, high in seen.received)
    return ledger
