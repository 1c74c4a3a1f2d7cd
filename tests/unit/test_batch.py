"""The batch format: what is packed comes back, and nothing else does."""

import hashlib
import json
import runpy
from pathlib import Path

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from pipeline.world import at, captured, question
from tuppence.batch import (
    DIGEST,
    MAGIC,
    MAX_EVENTS,
    MAX_RAW,
    Header,
    column,
    pack,
    peek,
    select,
    to_events,
    unpack,
)
from tuppence.errors import BadBatch
from tuppence.event import MAX_DEPTH, Event

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "docs/reference/batch-vectors.json").read_text())

words = st.text(max_size=8)
few = {"max_size": 3}
plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | words


def levels(value):
    """Return how many lists and mappings lie in each other here, as capturing and importing bound it."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(levels, inner), default=0)


nested = st.recursive(plain, lambda inner: st.lists(inner, **few) | st.dictionaries(words, inner, **few))
values = nested.filter(lambda value: levels(value) <= MAX_DEPTH)
events = st.builds(
    Event,
    time=st.integers(at(0), at(60) - 1),
    type=words,
    id=st.none() | words,
    source=st.none() | words,
    user=st.none() | words,
    session=st.none() | words,
    data=st.dictionaries(words, values.filter(lambda value: value is not None), max_size=6),
)


def header(count, **given):
    return Header(project="bot", hour="2026111609", count=count, **given)


def rebuilt(head, raw, *, compressed=None):
    """Return a message around any header and columns, with a digest that is right."""
    encoded = head if isinstance(head, bytes) else msgspec.json.encode(head)
    body = zstandard.ZstdCompressor().compress(raw) if compressed is None else compressed
    inner = len(encoded).to_bytes(4, "little") + encoded + body
    return MAGIC + hashlib.blake2b(inner, digest_size=DIGEST).digest() + inner


@given(st.lists(events, max_size=20))
def test_events_come_back_as_they_were(packed):
    batch = pack(header(len(packed)), packed)

    head, columns = unpack(batch.body)

    assert head == header(len(packed))
    assert to_events(columns) == packed
    assert peek(batch.body) == (batch.id, head)


@given(st.lists(events, min_size=1, max_size=20), st.data())
def test_chosen_rows_are_the_chosen_events(packed, data):
    keep = data.draw(st.lists(st.booleans(), min_size=len(packed), max_size=len(packed)))
    _, columns = unpack(pack(header(len(packed)), packed).body)

    chosen = select(columns, keep)

    assert to_events(chosen) == [event for event, kept in zip(packed, keep, strict=True) if kept]


def test_a_value_is_found_whether_its_key_is_frequent_or_rare():
    rows = [question(seq, often=seq, **({"rare": 1} if seq == 9 else {})) for seq in range(1, 20)]
    _, columns = unpack(captured(*rows))

    assert "rare" not in columns.data
    assert column(columns, "rare") == [1 if seq == 9 else None for seq in range(1, 20)]
    assert column(columns, "often") == list(range(1, 20))
    assert column(columns, "never") == [None] * 19


def test_a_list_without_items_says_that_no_event_has_the_key():
    _, columns = unpack(rebuilt(ONE, columns_of(data={"a": []}, user=[])))

    [event] = to_events(columns)

    assert (event.data, event.user) == ({}, None)


def test_the_same_content_is_the_same_bytes_whatever_the_order_of_its_keys():
    one = Event(time=at(0), type="x", id="a", data={"a": 1, "b": {"c": 2, "d": 3}})
    other = Event(time=at(0), type="x", id="a", data={"b": {"d": 3, "c": 2}, "a": 1})

    assert pack(header(1), [one]) == pack(header(1), [other])


@given(st.data())
def test_a_changed_bit_anywhere_is_noticed(data):
    body = captured(question(1), question(2, 5))
    bit = data.draw(st.integers(0, 8 * len(body) - 1))
    changed = bytearray(body)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(BadBatch):
        unpack(bytes(changed))


@pytest.mark.parametrize("length", range(len(captured(question(1)))))
def test_a_batch_that_was_cut_short_is_noticed(length):
    with pytest.raises(BadBatch):
        unpack(captured(question(1))[:length])


@given(st.binary(max_size=200))
def test_bytes_that_only_begin_like_a_batch_are_refused(noise):
    with pytest.raises(BadBatch):
        peek(MAGIC + noise)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_bytes_with_the_right_digest_are_still_not_believed(head, body):
    with pytest.raises(BadBatch):
        unpack(rebuilt(head, body))


def columns_of(**given):
    return msgspec.msgpack.encode({"time": [at(0)], "type": ["x"], **given})


ONE = header(1)
BAD = {
    "another version": b"tpb\x02" + bytes(40),
    "header of a terabyte": MAGIC + bytes(16) + b"\xff\xff\xff\xff",
    "a bomb": rebuilt(ONE, b"", compressed=zstandard.ZstdCompressor().compress(bytes(MAX_RAW + 1))),
    "no stated size": rebuilt(
        ONE, b"", compressed=zstandard.ZstdCompressor(write_content_size=False).compress(columns_of())
    ),
    "not compressed": rebuilt(ONE, b"", compressed=columns_of()),
    "too deeply nested": rebuilt(ONE, b"\x91" * 100_000),
    "hour that is none": rebuilt(Header(project="b", hour="2026111625", count=1), columns_of()),
    "hour before time began": rebuilt(Header(project="b", hour="1969123123", count=1), columns_of()),
    "hour after time ends": rebuilt(Header(project="b", hour="9999123123", count=1), columns_of()),
    "hour in words": rebuilt(Header(project="b", hour="nine", count=1), columns_of()),
    "hour in other digits": rebuilt(
        Header(project="b", hour="\u0662\u0660\u0662\u066611160\u0669", count=1), columns_of()
    ),
    "hour of another event": rebuilt(ONE, columns_of(time=[at(60)])),
    "time out of range": rebuilt(ONE, columns_of(time=[2**63])),
    "too many events": rebuilt(header(MAX_EVENTS + 1), columns_of()),
    "fewer than nothing": rebuilt(header(-1), columns_of()),
    "other count": rebuilt(header(2), columns_of()),
    "lists of other lengths": rebuilt(ONE, columns_of(user=["a", "b"])),
    "data of another length": rebuilt(ONE, columns_of(data={"a": [1, 2]})),
    "seq that disagrees": rebuilt(header(1, instance="i", first=1, last=1), columns_of(seq=[2])),
    "no seq": rebuilt(header(1, instance="i", first=1, last=1), columns_of()),
    "seq 0": rebuilt(header(1, instance="i"), columns_of(seq=[0])),
    "seq of 64 bits without an instance": rebuilt(ONE, columns_of(seq=[2**63])),
    "a negative number": rebuilt(header(1, dropped=-1), columns_of()),
    "a number of 64 bits": rebuilt(header(1, captured=2**63), columns_of()),
    "a header of the wrong kind": rebuilt(b"[]", columns_of()),
    "columns of the wrong kind": rebuilt(ONE, b"\x90"),
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_no_writer_writes_is_refused(body):
    with pytest.raises(BadBatch):
        unpack(body)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_the_published_vectors_can_be_read(vector):
    head, columns = unpack(bytes.fromhex(vector["message"]))

    assert head == msgspec.convert(vector["header"], Header)
    assert to_events(columns) == msgspec.convert(vector["events"], list[Event])
    assert peek(bytes.fromhex(vector["message"]))[0] == vector["id"]


def test_the_published_vectors_are_what_is_written():
    compressed = {"message": "", "id": ""}

    made = runpy.run_path(str(ROOT / "scripts/batch_vectors.py"))["vectors"]()

    assert [vector | compressed for vector in made] == [vector | compressed for vector in VECTORS]
