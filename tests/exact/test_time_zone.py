"""An hour of another time zone is counted again while others drain and seal, in every order of requests.

Two sealers are walked for one zone in an ordinary run, and for a second with `FAULTS=each`: it takes minutes.
"""

from __future__ import annotations

import os

import msgspec
import pytest

from exact.explore import Actor
from exact.model import Memory
from exact.programs import draining, opened, prepared, sealing_in, soon
from exact.test_interleavings import DRAIN, FIRST, NOW, OTHER, Play, proven
from pipeline.world import PROJECT
from tuppence.drivers import Record
from tuppence.pipeline import layout, records
from tuppence.pipeline.day_zone import DayZone
from tuppence.testing import ManualClock

__all__ = ["proven"]

HOUR = "2026111609"
LONDON, HONOLULU, KOLKATA = "Europe/London", "Pacific/Honolulu", "Asia/Kolkata"
TWO_SEALERS = [HONOLULU, KOLKATA] if os.environ.get("FAULTS") == "each" else [KOLKATA]


def changed(zone, **batches):
    """Return a state in which an hour that London's clock counted is marked to be counted by another."""
    memory, clock = Memory(prepared(NOW, **batches)), ManualClock(NOW)
    _, store = opened(memory, clock)
    known = DayZone(zone=zone, previous=[LONDON], changed_at=NOW)
    state = Record(key=layout.state(PROJECT, layout.DAY_ZONE), body=msgspec.json.encode(known))
    store.put(state, deadline=soon(clock))
    store.put(records.marker(layout.other_zone(PROJECT, HOUR)), deadline=soon(clock))
    return memory.state


@pytest.mark.slow
@pytest.mark.parametrize("zone", TWO_SEALERS)
def test_two_sealers_count_an_hour_again(proven, zone):
    sealer, rival = (Actor(name, sealing_in(zone)) for name in "st")
    play = Play(changed(zone, sealed=[FIRST]), sealer, rival, ends=(draining, sealing_in(zone)))

    found = proven(f"two sealers that count an hour again by {zone}", play)

    assert found.orders > 10**6


@pytest.mark.slow
@pytest.mark.parametrize("zone", [HONOLULU, KOLKATA])
def test_an_hour_is_counted_again_while_more_of_it_is_drained(proven, zone):
    start = changed(zone, sealed=[FIRST], waiting=[OTHER])
    play = Play(start, DRAIN, Actor("s", sealing_in(zone)), ends=(draining, sealing_in(zone)))

    found = proven(f"a drain and a sealer that counts an hour again by {zone}", play)

    assert found.orders > 10**3
