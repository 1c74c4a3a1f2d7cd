"""Entities: how a record lies in a table.

PartitionKey  partition; every letter that a key of ours is made of is one that the service allows, and it
RowKey        sorts the sort keys by their bytes, as we do
d0 … d10      body, in binary properties of 64 KiB
a             attributes as JSON, where there are any
e             the second from which on it has expired, where there is one

A record's version is the entity's ETag behind the second of its expiry: so a condition on a version can be
told to have expired without a look at the record.
https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

import msgspec

from tuppence.drivers import Key, Record

Entity = Mapping[str, Any]

PROPERTY: Final = 64 * 1024
"""Bytes of a property. Of an entity it is 1 MiB, names, keys and what stands around them included."""
PROPERTIES: Final = 11
"""So many fit into 1 MiB also in base64, which is how they are sent, and how Azurite counts them."""
ITEM_BYTES: Final = PROPERTIES * PROPERTY
"""What is left for a record, as `Record.size` counts, so that attributes have a property of their own too."""
LETTERS_OF_TEXT: Final = PROPERTY // 2
"""Letters of the text that holds the attributes: the service counts two bytes for each."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_FOREVER: Final = "-"


def entity_of(record: Record) -> Entity:
    """Return a record as the service takes it."""
    entity: dict[str, Any] = {"PartitionKey": record.key.partition, "RowKey": record.key.sort}
    for number, at in enumerate(range(0, len(record.body), PROPERTY)):
        entity[f"d{number}"] = b64encode(record.body[at : at + PROPERTY]).decode()
        entity[f"d{number}@odata.type"] = "Edm.Binary"
    if record.attributes:
        entity["a"] = text_of(record.attributes)
    if record.expires_at is not None:
        entity["e"] = str(second(record.expires_at))
        entity["e@odata.type"] = "Edm.Int64"
    return entity


def record_in(entity: Entity) -> Record:
    """Return the record an entity holds."""
    expires = expiry_in(entity)
    parts = (entity.get(f"d{number}") for number in range(PROPERTIES))
    return Record(
        key=key_in(entity),
        body=b"".join(b64decode(part) for part in parts if part is not None),
        attributes=msgspec.json.decode(entity["a"], type=dict[str, str]) if "a" in entity else {},
        expires_at=None if expires is None else _EPOCH + expires * _SECOND,
        version=f"{_FOREVER if expires is None else expires} {etag_in(entity)}",
    )


def key_in(entity: Entity) -> Key:
    """Return the key of an entity."""
    return Key(partition=entity["PartitionKey"], sort=entity["RowKey"])


def expiry_in(entity: Entity) -> int | None:
    """Return the second from which on an entity has expired."""
    return int(entity["e"]) if "e" in entity else None


def etag_in(entity: Entity) -> str:
    """Return an entity's ETag. Where the answer lists none, it is made of the time of the last write.

    As Microsoft's own client does: https://github.com/Azure/azure-sdk-for-python (azure-data-tables 12.7).
    """
    told = entity.get("odata.etag")
    return told or f"W/\"datetime'{quote(entity['Timestamp'], safe='')}'\""


def etag_of(version: str, now: int) -> str | None:
    """Return the ETag in a version, or `None` if its record has expired or it is no version at all."""
    expires, _, etag = version.partition(" ")
    if not etag or (expires != _FOREVER and not (expires.isdecimal() and int(expires) > now)):
        return None
    return etag


def text_of(attributes: Mapping[str, str]) -> str:
    """Return attributes as the text of one property."""
    return msgspec.json.encode(attributes).decode()


def second(moment: datetime) -> int:
    """Return the whole second, since 1970, that a moment lies in."""
    return (moment - _EPOCH) // _SECOND
