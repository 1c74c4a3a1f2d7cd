"""Items: how a record lies in a table, and how AWS counts its bytes.

p  S  partition, the partition key
s  S  sort, the sort key
b  B  body
a  M  attributes, where there are any
e  N  the second from which on it has expired, where there is one: the attribute of the table's TTL
v  S  version, random for each put
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tuppence.drivers import Key, Record

Item = Mapping[str, Any]

MAX_ITEM: Final = 400 * 1024
"""Bytes of an item, names included (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html,
read November 2026)."""
WRITE_UNIT: Final = 1024
"""Bytes of an item that one write unit pays for."""
READ_UNIT: Final = 4 * 1024
"""Bytes that one unit of a consistent read pays for."""
VERSION_BYTES: Final = 8
MANY_ATTRIBUTES: Final = 100
"""How many attributes a record of the full size may have: each costs a byte that `Record.size` leaves out."""
_MAP: Final = 3
_NUMBER: Final = 8
"""A sign, and a byte for each two of at most twelve digits, and one more."""
_PLAIN: Final = len("psbv") + 2 * VERSION_BYTES
_EXPIRY: Final = len("e") + _NUMBER
_ATTRIBUTES: Final = len("a") + _MAP
ITEM_BYTES: Final = MAX_ITEM - _PLAIN - _EXPIRY - _ATTRIBUTES - MANY_ATTRIBUTES
"""What is left for a record, as `Record.size` counts
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


def key_of(key: Key) -> Item:
    """Return a key as the service takes it."""
    return {"p": {"S": key.partition}, "s": {"S": key.sort}}


def key_in(item: Item) -> Key:
    """Return the key of an item."""
    return Key(partition=item["p"]["S"], sort=item["s"]["S"])


def item_of(record: Record) -> Item:
    """Return a record as the service takes it, under a version of its own."""
    item = {
        **key_of(record.key),
        "b": {"B": record.body},
        "v": {"S": secrets.token_hex(VERSION_BYTES)},
    }
    if record.attributes:
        item["a"] = {"M": {name: {"S": value} for name, value in record.attributes.items()}}
    if record.expires_at is not None:
        item["e"] = number(second(record.expires_at))
    return item


def record_in(item: Item) -> Record:
    """Return the record an item holds."""
    attributes = item.get("a", {"M": {}})["M"]
    return Record(
        key=key_in(item),
        body=item["b"]["B"],
        attributes={name: value["S"] for name, value in attributes.items()},
        expires_at=_EPOCH + int(item["e"]["N"]) * _SECOND if "e" in item else None,
        version=item["v"]["S"],
    )


def weight(record: Record) -> int:
    """Return the bytes of a record's item as AWS counts them, or up to three more where it expires."""
    more = _PLAIN
    if record.attributes:
        more += _ATTRIBUTES + len(record.attributes)
    if record.expires_at is not None:
        more += _EXPIRY
    return record.size + more


def write_units(record: Record) -> int:
    """Return the units it takes to write a record."""
    return -(-weight(record) // WRITE_UNIT)


def get_units(keys: int, items: Sequence[Item]) -> int:
    """Return the units of so many keys that were read: each is paid for alone, and also what is not there."""
    return keys - len(items) + sum(-(-weight(record_in(item)) // READ_UNIT) for item in items)


def query_units(items: Sequence[Item]) -> int:
    """Return the units of a query's page: its items are paid for together."""
    return max(1, -(-sum(weight(record_in(item)) for item in items) // READ_UNIT))


def second(moment: datetime) -> int:
    """Return the whole second, since 1970, that a moment lies in."""
    return (moment - _EPOCH) // _SECOND


def number(value: int) -> Item:
    """Return a number as the service takes it."""
    return {"N": str(value)}
