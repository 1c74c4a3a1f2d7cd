"""The real programs of the pipeline at the model's queue and store, and what they leave."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from exact.drivers import ModelOptions, ModelQueue, ModelStore
from exact.model import Memory, RunOut, Send, without_leases
from pipeline.world import PROJECT
from tuppence.clock import Deadline
from tuppence.config import Retention
from tuppence.drivers import Context, Record
from tuppence.meter import UnitMeter
from tuppence.pipeline import dead, layout
from tuppence.pipeline.drain import drain
from tuppence.pipeline.intake import Reason, Unusable
from tuppence.pipeline.replay import replay
from tuppence.pipeline.retention import purge
from tuppence.pipeline.seal import seal
from tuppence.queue import Queue
from tuppence.store import Store
from tuppence.testing import ManualClock

ZONE = ZoneInfo("Europe/London")
KEEP = Retention()
PATIENCE = timedelta(minutes=10)


def draining(world, clock):
    queue, store = opened(world, clock)
    drain(queue, store, project=PROJECT, retention=KEEP, clock=clock, deadline=soon(clock))


def sealing(world, clock, page=100):
    _, store = opened(world, clock, page)
    seal(store, project=PROJECT, zone=ZONE, retention=KEEP, clock=clock, deadline=soon(clock))


def sealing_in(zone, *, hours_later=0):
    """Return a program that seals, configured with this time zone."""

    def program(world, clock):
        clock.advance(timedelta(hours=hours_later))
        _, store = opened(world, clock)
        seal(
            store,
            project=PROJECT,
            zone=ZoneInfo(zone),
            retention=KEEP,
            clock=clock,
            deadline=soon(clock),
        )

    return program


def sealing_by_small_pages(world, clock):
    """Seal; what is asked for comes record by record, so that others get in between."""
    sealing(world, clock, page=1)


def replaying(world, clock):
    _, store = opened(world, clock)
    replay(store, project=PROJECT, zone=ZONE, retention=KEEP, clock=clock, deadline=soon(clock))


def purging(world, clock):
    _, store = opened(world, clock)
    purge(store, clock=clock, deadline=soon(clock))


def losing_patience(world, clock):
    """Let all leases run out, at any moment."""
    world.do(RunOut(), clock.now())


def prepared(now, *, sealed=(), letters=(), drained=(), waiting=()):
    """Return a state in which some batches are sealed, dead letters, drained only, or wait in the queue."""
    memory, clock = Memory(), ManualClock(now)
    _, store = opened(memory, clock)
    store.put(Record(key=layout.state(PROJECT, "visitor-key"), body=b"k" * 32), deadline=soon(clock))
    send(memory, sealed, now)
    run(memory, now, draining, sealing)
    for body in letters:
        problem = Unusable(Reason.BAD_COLUMNS, "an older release could not read it")
        letter = dead.record_of(PROJECT, body, problem, retention=KEEP, now=now)
        store.put(letter, deadline=soon(clock))
    send(memory, drained, now)
    run(memory, now, draining)
    send(memory, waiting, now)
    return memory.state


def run(memory, now, *programs):
    """Run programs one after the other, after all leases have run out."""
    memory.state = without_leases(memory.state)
    for program in programs:
        program(memory, ManualClock(now))


def results(state, now):
    """Return the bodies of what a report is made from, by key."""
    made = {"hours", "texts", "days", "dead"}
    return {
        key: item.body
        for key, item in state.records
        if key.partition.split(".")[1] in made and (item.expires_at is None or item.expires_at > now)
    }


def under_way(state, programs):
    """Whether there is something left to be done for one of these programs."""
    partitions = {key.partition for key, _ in state.records}
    replayable = replaying in programs and layout.dead(PROJECT).partition in partitions
    return bool(state.messages) or layout.dirty(PROJECT) in partitions or replayable


def send(memory, bodies, now):
    for number, body in enumerate(bodies):
        memory.do(Send(f"{number}", body, ""), now)


def opened(world, clock, page=100):
    context = Context(project=PROJECT, meter=UnitMeter(), clock=clock)
    options = ModelOptions(world, page)
    return Queue(ModelQueue(options, context), clock), Store(ModelStore(options, context), clock)


def soon(clock):
    return Deadline.after(PATIENCE, clock)
