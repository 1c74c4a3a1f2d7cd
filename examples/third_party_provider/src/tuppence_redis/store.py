"""The store: two keys of Redis for each partition, changed by the steps of `store.lua`.

Options: `ServerOptions`.
Consistency: every read sees every put that has completed; conditions hold against every other client.
Limits: its own choice, near the clouds', so that what works here works there.
Errors: `tuppence_redis.errors`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from tuppence.clock import Deadline
from tuppence.cursors import cursor_after, position_in
from tuppence.drivers import (
    Absent,
    Context,
    ItemError,
    Key,
    Limits,
    Page,
    Permission,
    Record,
    Role,
    StoreDriver,
    Version,
)
from tuppence.errors import DriverError, ErrorCode

from tuppence_redis.errors import failure, too_large
from tuppence_redis.server import Server, ServerOptions, microseconds, moment

CHECK_WAIT: Final = 5.0
PAGE_RECORDS: Final = 1_000
PAGE_BYTES: Final = 4 * 1024 * 1024
"""A page ends with the record that reaches this size."""
PURGED: Final = 1_000
"""Records deleted at once, at most: no one else is served meanwhile."""

_ALL: Final = ("hget", "hset", "hdel", "zadd", "zrangebylex", "zrangebyscore", "zrem", "zscore")
_COMMANDS: Final = {Role.PRODUCER: (), Role.PROCESSOR: _ALL, Role.REPORTER: _ALL}
"""What the steps of `store.lua` call. Reporting writes too: which mails were sent."""


class RedisStore(StoreDriver):
    """A store on a Redis server."""

    Options = ServerOptions
    limits = Limits(batch_items=100, batch_bytes=8 * 1024 * 1024, item_bytes=1024 * 1024)

    def __init__(self, options: ServerOptions, context: Context) -> None:
        super().__init__(options, context)
        self._server = Server(options, context.meter, script="store.lua")

    def check(self) -> None:
        """Prove that the server lets us in and will keep what it is given."""
        self._server.check("store.check", deadline=Deadline.after(CHECK_WAIT, self.context.clock))

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return rules for a user of the server: commands, and the keys they may touch."""
        return self._server.permissions(_COMMANDS[role], "store")

    def put(
        self,
        records: Sequence[Record],
        /,
        *,
        condition: Absent | Version | None = None,
        deadline: Deadline,
    ) -> Sequence[ItemError]:
        """Write records, all at once."""
        self._check_batch("store.put", [record.key for record in records], condition)
        fitting = [p for p, record in enumerate(records) if record.size <= self.limits.item_bytes]
        if sum(records[p].size for p in fitting) > self.limits.batch_bytes:
            raise failure(ErrorCode.INVALID, "store.put", f"over {self.limits.batch_bytes} bytes together")
        arguments = _of_condition(condition)
        for position in fitting:
            arguments += _written(records[position])
        unmet = self._run("store.put", [records[p].key.partition for p in fitting], arguments, deadline)
        failed = {fitting[number]: _unmet("store.put", condition) for number in unmet}
        for position in set(range(len(records))).difference(fitting):
            failed[position] = too_large("store.put", records[position].size, self.limits.item_bytes)
        return [ItemError(position, failed[position]) for position in sorted(failed)]

    def get(self, keys: Sequence[Key], /, *, deadline: Deadline) -> Sequence[Record | None]:
        """Return a record or `None` for each key."""
        self._check_batch("store.get", keys)
        found = self._run("store.get", [k.partition for k in keys], [k.sort for k in keys], deadline)
        return [fields and _read(key, fields) for key, fields in zip(keys, found, strict=True)]

    def query(
        self,
        partition: str,
        /,
        *,
        start: str = "",
        end: str = "",
        limit: int,
        cursor: str | None = None,
        deadline: Deadline,
    ) -> Page:
        """Return a page of at most `limit` and `PAGE_RECORDS` records and about `PAGE_BYTES`."""
        if limit < 1:
            raise failure(ErrorCode.INVALID, "store.query", "limit must be 1 or more")
        begin = f"[{start}" if cursor is None else f"({_position(cursor, partition, start, end)}"
        arguments = [begin, f"({end}" if end else "+", min(limit, PAGE_RECORDS), PAGE_BYTES]
        last, rows = self._run("store.query", [partition], arguments, deadline)
        records = [_read(Key(partition=partition, sort=sort.decode()), fields) for sort, *fields in rows]
        return Page(
            records=records, cursor=cursor_after(last.decode(), partition, start, end) if last else None
        )

    def delete(
        self, keys: Sequence[Key], /, *, condition: Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Remove records, all at once."""
        self._check_batch("store.delete", keys, condition)
        arguments = _of_condition(condition) + [part for key in keys for part in (key.partition, key.sort)]
        unmet = self._run("store.delete", [key.partition for key in keys], arguments, deadline)
        return [ItemError(position, _unmet("store.delete", condition)) for position in unmet]

    def purge(self, *, before: datetime, limit: int, deadline: Deadline) -> int:
        """Delete up to `limit` and `PURGED` records that have expired.

        Which ones is asked first, since a script may only touch keys that it was told of.
        """
        bound = min(microseconds(before) - 1, microseconds(self.context.clock.now()))
        most = max(0, min(limit, PURGED))
        names = self._run("store.purge", [], [bound, most], deadline, step="expired")
        if not names:
            return 0
        keys = [name.decode().split("/") for name in names]
        arguments = [bound, *(part for key in keys for part in key)]
        deleted: int = self._run("store.purge", [partition for partition, _ in keys], arguments, deadline)
        return deleted

    def close(self) -> None:
        """Let the connection go."""
        self._server.close()

    def _run(
        self,
        operation: str,
        partitions: Sequence[str],
        arguments: Sequence[Any],
        deadline: Deadline,
        *,
        step: str = "",
    ) -> Any:
        base = f"{self.options.prefix}:store"
        keys = [f"{base}:expiry"]
        for partition in partitions:
            keys += [f"{base}:records:{partition}", f"{base}:index:{partition}"]
        now = microseconds(self.context.clock.now())
        return self._server.run(operation, keys, [now, *arguments], deadline=deadline, step=step)

    def _check_batch(
        self, operation: str, keys: Sequence[Key], condition: Absent | Version | None = None
    ) -> None:
        most = 1 if isinstance(condition, Version) else self.limits.batch_items
        if len(keys) > most or (isinstance(condition, Version) and not keys):
            raise failure(ErrorCode.INVALID, operation, f"{len(keys)} records; this call takes {most}")


def _of_condition(condition: Absent | Version | None) -> list[Any]:
    """Return a condition as two arguments of the script."""
    if isinstance(condition, Version):
        return ["version", condition.value]
    return ["" if condition is None else "absent", ""]


def _unmet(operation: str, condition: Absent | Version | None) -> DriverError:
    code = ErrorCode.ALREADY_EXISTS if isinstance(condition, Absent) else ErrorCode.CONFLICT
    return failure(code, operation, "the condition is not met")


def _written(record: Record) -> list[Any]:
    """Return a record as six arguments of the script.

    Its version is random and not counted up: a server that lost its last second would count the same again.
    """
    return [
        record.key.partition,
        record.key.sort,
        secrets.token_hex(8),
        "" if record.expires_at is None else microseconds(record.expires_at.replace(microsecond=0)),
        msgspec.json.encode(dict(record.attributes)),
        record.body,
    ]


def _read(key: Key, fields: Sequence[bytes]) -> Record:
    version, expires, attributes, body = fields
    return Record(
        key=key,
        body=body,
        attributes=msgspec.json.decode(attributes, type=dict[str, str]),
        expires_at=moment(int(expires)) if expires else None,
        version=version.decode(),
    )


def _position(cursor: str, partition: str, start: str, end: str) -> str:
    """Return the sort key a page ended with. A cursor that no page of this query gave is refused."""
    last = position_in(cursor, partition, start, end)
    if last is None:
        raise failure(ErrorCode.INVALID, "store.query", "the cursor is not one of this query's")
    return last
