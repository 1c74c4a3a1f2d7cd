"""What is read back of a rollup: what was written, or an error that says which record is damaged."""

import msgspec
import pytest

from tuppence.drivers import Key, Record
from tuppence.errors import TuppenceError
from tuppence.pipeline.records import pack_rollup, read_rollup, read_texts
from tuppence.pipeline.rollup import Cell, Rollup
from tuppence.pipeline.sketch import EXACT_IDS, Histogram, IdSet

GOOD = {"zone": "Europe/London", "parts": ["a"]}
NINE = "2026-11-16T09"
DAMAGED = {
    "a zone that is none": {"zone": "Europe/Lindon"},
    "a zone that leads elsewhere": {"zone": "../x"},
    "a cell that is no hour": {"cells": {"2026-11-16": {}}},
    "a cell on no day": {"cells": {"2026-11-99T09": {}}},
    "fewer than nothing": {"cells": {NINE: {"events": -1}}},
    "more than there can be": {"cells": {NINE: {"events": 2**63}}},
    "half an id": {"ids": {"ids": b"1234567"}},
    "a sketch cut short": {"ids": {"registers": b"123"}},
    "a sketch beyond its ranks": {"ids": {"registers": b"\xff" * 16_384}},
    "a bucket beyond all": {"cells": {NINE: {"latency": {"buckets": {2**40: 1}}}}},
    "a run without an end": {"instances": {"i": {"received": [[1]]}}},
}


def record(body):
    return Record(key=Key(partition="bot.hours.202611", sort="2026111609"), body=body)


@pytest.mark.parametrize("ids", [3, EXACT_IDS + 1])
def test_a_rollup_is_read_back_as_it_was(ids):
    latency = Histogram()
    latency.add(2**64 - 1)
    cell = Cell(events=5, people=IdSet.of(range(ids)), latency=latency)
    rollup = Rollup(**GOOD, cells={NINE: cell}, ids=IdSet.of([2**64 - 1, 0]))

    assert read_rollup(record(pack_rollup(rollup))) == rollup


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_rollup_is_named_and_not_counted(damage):
    body = msgspec.msgpack.encode({**GOOD, **damage})

    with pytest.raises(TuppenceError, match=r"bot\.hours\.202611/2026111609 cannot be read"):
        read_rollup(record(body))


@pytest.mark.parametrize("read", [read_rollup, read_texts])
@pytest.mark.parametrize(
    "body", [b"", b"\xc1", b"\x28\xb5\x2f\xfd", b"\x81\xa7version\x02", b"\x81\xa4days\xa1\xff"]
)
def test_bytes_that_are_no_record_are_named(read, body):
    with pytest.raises(TuppenceError, match=r"bot\.hours\.202611/2026111609"):
        read(record(body))
