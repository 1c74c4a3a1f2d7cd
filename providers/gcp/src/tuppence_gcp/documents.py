"""Documents: how a record lies in Firestore.

Its id is `=<partition>!<sort>`: no letter of a key sorts before `!`, so a partition lies together and in
order, and behind `=` no id is one of those that Firestore keeps to itself, such as `.` and `__x__`.

b  bytes      body, where it is not in an object
o  string     where its body is: object, first byte and length, with colons between
a  string     attributes, where there are any, as JSON
e  timestamp  from when on it has expired, where there is a time: the field of the TTL policy
t  string     random for each put: a write that changes nothing would leave the version as it was
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tuppence.drivers import Key, Record

MAX_DOCUMENT: Final = 1024 * 1024 - 2048
"""Bytes of a document, less what its fields' names, its token and its place in the database take.

https://firebase.google.com/docs/firestore/quotas, read November 2026.
"""
RECORD: Final = 1_000_000
"""Bytes of a record, as `Record.size` counts: what is left is for attributes that JSON makes longer."""
_TOKEN_BYTES: Final = 8
_FIRST: Final = "="
_BETWEEN: Final = "!"
_BEHIND: Final = '"'
"""What follows `_BETWEEN`: the end of a partition."""


class Value(msgspec.Struct, rename="camel", omit_defaults=True):
    """A field's value, of the types that are used here."""

    bytes_value: bytes | None = None
    string_value: str | None = None
    timestamp_value: datetime | None = None


class Document(msgspec.Struct, rename="camel"):
    """A document as it is read; `update_time` is kept to the letter."""

    name: str
    fields: dict[str, Value] = {}
    update_time: str = ""

    @property
    def expires_at(self) -> datetime | None:
        """From when on it has expired."""
        field = self.fields.get("e")
        return field.timestamp_value if field else None

    @property
    def version(self) -> str:
        """What its record's version is: the time of the write, and the end, since neither changes alone."""
        expires = self.expires_at
        return self.update_time if expires is None else f"{self.update_time}/{expires.timestamp():.0f}"

    @property
    def reference(self) -> str:
        """Where its body is, or nothing where it is here."""
        field = self.fields.get("o")
        return (field.string_value or "") if field else ""

    def record(self, body: bytes | None = None) -> Record:
        """Return the record it holds, with a body that was kept elsewhere."""
        attributes, own = self.fields.get("a"), self.fields.get("b")
        return Record(
            key=key_in(self.name),
            body=((own.bytes_value if own else None) or b"") if body is None else body,
            attributes=msgspec.json.decode((attributes and attributes.string_value) or "{}"),
            expires_at=self.expires_at,
            version=self.version,
        )


def id_of(key: Key) -> str:
    """Return the id of a record's document."""
    return f"{_FIRST}{key.partition}{_BETWEEN}{key.sort}"


def key_in(name: str) -> Key:
    """Return the key of the document of this name."""
    partition, _, sort = name.rpartition("/")[2].removeprefix(_FIRST).partition(_BETWEEN)
    return Key(partition=partition, sort=sort)


def bounds(partition: str, start: str, end: str) -> tuple[str, str]:
    """Return the ids between which a range lies: the first belongs to it, the second does not."""
    last = f"{_BETWEEN}{end}" if end else _BEHIND
    return f"{_FIRST}{partition}{_BETWEEN}{start}", f"{_FIRST}{partition}{last}"


def fields_of(record: Record, reference: str = "") -> dict[str, Value]:
    """Return a record as the service takes it; with a reference, its body is kept elsewhere."""
    body = {"o": Value(string_value=reference)} if reference else {"b": Value(bytes_value=record.body)}
    fields = {**body, "t": Value(string_value=secrets.token_hex(_TOKEN_BYTES))}
    if record.attributes:
        fields["a"] = Value(string_value=_attributes(record))
    if record.expires_at is not None:
        fields["e"] = Value(timestamp_value=second(record.expires_at))
    return fields


def weight(record: Record) -> int:
    """Return the bytes of a record's document, less what every document has."""
    key = record.key
    return len(record.body) + len(key.partition) + len(key.sort) + len(_attributes(record).encode())


def precondition(version: str) -> dict[str, Any]:
    """Return under which condition a document still has this version."""
    return {"updateTime": version.partition("/")[0]}


def ended(version: str, now: datetime) -> bool:
    """Whether the record of this version has expired."""
    end = version.partition("/")[2]
    return bool(end) and int(end) <= now.timestamp()


def second(moment: datetime) -> datetime:
    """Return the whole second that a moment lies in."""
    return moment.astimezone(UTC).replace(microsecond=0)


def _attributes(record: Record) -> str:
    return msgspec.json.encode(dict(record.attributes)).decode()
