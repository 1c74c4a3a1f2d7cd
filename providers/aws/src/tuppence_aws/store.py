"""The store: one DynamoDB table.

Options: `StoreOptions`.
Consistency: every read asks for it; conditions are part of the write.
Limits: the service's, less what it adds to an item (`tuppence_aws.items`).
Errors: `tuppence_aws.errors`. Beyond the table's capacity calls are THROTTLED (`tuppence_aws.capacity`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tuppence.clock import Deadline
from tuppence.cursors import cursor_after, position_in
from tuppence.drivers import (
    Absent,
    Context,
    Feature,
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
from tuppence.findings import Finding
from tuppence_aws.errors import failure, too_large
from tuppence_aws.items import (
    ITEM_BYTES,
    MAX_ITEM,
    Item,
    get_units,
    item_of,
    key_in,
    key_of,
    number,
    query_units,
    record_in,
    second,
    weight,
    write_units,
)
from tuppence_aws.table import StoreOptions, Table, units_in

BATCH: Final = 25
"""Items of one BatchWriteItem. The largest ones together are 10 MiB, in base64 13; it takes 16."""
PAGE_RECORDS: Final = 1_000
CHECK_WAIT: Final = 5.0

_ABSENT: Final = "attribute_not_exists(p) OR e <= :now"
_UNCHANGED: Final = "v = :v AND (attribute_not_exists(e) OR e > :now)"
_ALONE: Final = frozenset(
    {ErrorCode.ALREADY_EXISTS, ErrorCode.CONFLICT, ErrorCode.INVALID, ErrorCode.TOO_LARGE}
)
"""What is wrong with one item and says nothing about the next."""
_REPORTING: Final = ("BatchGetItem", "BatchWriteItem", "PutItem", "Query")
_ACTIONS: Final[Mapping[Role, Sequence[str]]] = {
    Role.PRODUCER: (),
    Role.PROCESSOR: (*_REPORTING, "DeleteItem"),
    Role.REPORTER: _REPORTING,
}
"""What the driver calls for each role. Reporting writes too: which mails were sent, and units."""


class DynamoStore(StoreDriver):
    """A store in a table of DynamoDB."""

    Options = StoreOptions
    features = frozenset({Feature.NATIVE_TTL})
    limits = Limits(batch_items=BATCH, batch_bytes=BATCH * ITEM_BYTES, item_bytes=ITEM_BYTES)

    def __init__(self, options: StoreOptions, context: Context) -> None:
        super().__init__(options, context)
        self.table = Table(options, context)
        self.name = self.table.name

    def check(self) -> None:
        """Prove that the table is there, takes calls, has our keys, and deletes what has expired."""
        self.table.check("store.check", Deadline.after(CHECK_WAIT, self.context.clock))

    def findings(self, *, deadline: Deadline) -> Iterable[Finding]:
        """Look at how what has expired is deleted, and at what the capacity costs."""
        from tuppence_aws.findings.table import findings

        return findings(self, deadline)

    def permissions(self, role: Role, /) -> Sequence[Permission]:
        """Return the calls on the table that a role makes."""
        resource = self.table.arn
        return [Permission(action=f"dynamodb:{name}", resource=resource) for name in _ACTIONS[role]]

    def put(
        self,
        records: Sequence[Record],
        /,
        *,
        condition: Absent | Version | None = None,
        deadline: Deadline,
    ) -> Sequence[ItemError]:
        """Write records: in one call, or under a condition with one for each."""
        self._check_batch("store.put", len(records), condition)
        errors = [
            ItemError(position, too_large("store.put", record.size, ITEM_BYTES))
            for position, record in enumerate(records)
            if record.size > ITEM_BYTES or weight(record) > MAX_ITEM
        ]
        unfit = {error.position for error in errors}
        fitting = {p: record for p, record in enumerate(records) if p not in unfit}
        if sum(record.size for record in fitting.values()) > self.limits.batch_bytes:
            raise failure(ErrorCode.INVALID, "store.put", f"over {self.limits.batch_bytes} bytes together")
        if condition is not None:
            return errors + self._put_each(fitting, condition, deadline)
        requests = {p: {"PutRequest": {"Item": item_of(record)}} for p, record in fitting.items()}
        units = {p: write_units(record) for p, record in fitting.items()}
        return errors + self._write_all("store.put", requests, units, deadline)

    def get(self, keys: Sequence[Key], /, *, deadline: Deadline) -> Sequence[Record | None]:
        """Return a record or `None` for each key."""
        self._check_batch("store.get", len(keys))
        if not keys:
            return []
        wanted = {self.name: {"Keys": [key_of(key) for key in keys], "ConsistentRead": True}}
        answer = self._read(
            "store.get",
            "batch_get_item",
            deadline,
            weighed=lambda answer: get_units(len(keys) - _unread(answer), _found(answer)),
            RequestItems=wanted,
        )
        items = _found(answer)
        if not {key_in(item) for item in items} <= set(keys):
            raise failure(ErrorCode.UNAVAILABLE, "store.get", "the answer is one to another call")
        if _unread(answer):
            each = units_in(answer) / len(items) if items else 1.0
            raise self.table.throttled("store.get", "dynamodb.rcu", each * len(keys))
        found = {key_in(item): item for item in items}
        return [self._living(found.get(key)) for key in keys]

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
        """Return a page of at most `limit` and `PAGE_RECORDS` records and 1 MB."""
        if limit < 1:
            raise failure(ErrorCode.INVALID, "store.query", "limit must be 1 or more")
        if end and start >= end:
            return Page(records=[], cursor=None)
        asked: dict[str, Any] = _range(partition, start, end)
        if cursor is not None:
            after = _position(cursor, partition, start, end)
            asked["ExclusiveStartKey"] = key_of(Key(partition=partition, sort=after))
        answer = self._read(
            "store.query",
            "query",
            deadline,
            weighed=lambda answer: query_units(answer["Items"]),
            TableName=self.name,
            ConsistentRead=True,
            Limit=min(limit, PAGE_RECORDS),
            **asked,
        )
        records = [self._living(item) for item in answer["Items"] if item["s"]["S"] != end]
        last = answer.get("LastEvaluatedKey")
        following = cursor_after(last["s"]["S"], partition, start, end) if last else None
        return Page(records=[record for record in records if record is not None], cursor=following)

    def delete(
        self, keys: Sequence[Key], /, *, condition: Version | None = None, deadline: Deadline
    ) -> Sequence[ItemError]:
        """Remove records, in one call."""
        self._check_batch("store.delete", len(keys), condition)
        if condition is None:
            requests = {p: {"DeleteRequest": {"Key": key_of(key)}} for p, key in enumerate(keys)}
            return self._write_all("store.delete", requests, dict.fromkeys(requests, 1), deadline)
        try:
            self._write_if("store.delete", "delete_item", condition, 1, deadline, Key=key_of(keys[0]))
        except DriverError as error:
            if error.code is not ErrorCode.CONFLICT:
                raise
            return [ItemError(0, error)]
        return []

    def purge(self, *, before: datetime, limit: int, deadline: Deadline) -> int:  # noqa: ARG002 - the service deletes
        """Do nothing: the service deletes what has expired, at no cost, within days."""
        return 0

    def close(self) -> None:
        """Let the connections go."""
        self.table.close()

    def _put_each(
        self, records: Mapping[int, Record], condition: Absent | Version, deadline: Deadline
    ) -> list[ItemError]:
        """Write records one by one. An error that the next would meet too is that of all that are left."""
        errors: list[ItemError] = []
        positions = list(records)
        for done, position in enumerate(positions):
            record = records[position]
            item, units = item_of(record), write_units(record)
            try:
                self._write_if("store.put", "put_item", condition, units, deadline, Item=item)
            except DriverError as error:
                if error.code in _ALONE:
                    errors.append(ItemError(position, error))
                elif done == 0:
                    raise
                else:
                    return errors + [ItemError(left, error) for left in positions[done:]]
        return errors

    def _write_if(
        self,
        operation: str,
        method: str,
        condition: Absent | Version,
        units: int,
        deadline: Deadline,
        **parameters: Any,
    ) -> None:
        """Write one item under a condition. Where it does not hold, units are used that no answer tells."""
        values = {":now": number(second(self.context.clock.now()))}
        if isinstance(condition, Version):
            values[":v"] = {"S": condition.value}
        try:
            self.table.ask(
                operation,
                method,
                "dynamodb.wcu",
                deadline,
                TableName=self.name,
                ConditionExpression=_ABSENT if isinstance(condition, Absent) else _UNCHANGED,
                ExpressionAttributeValues=values,
                **parameters,
            )
        except DriverError as error:
            if error.code is not ErrorCode.CONFLICT:
                raise
            self.table.used("dynamodb.wcu", units)
            code = ErrorCode.ALREADY_EXISTS if isinstance(condition, Absent) else ErrorCode.CONFLICT
            raise failure(code, operation, "the condition is not met") from error.__cause__

    def _write_all(
        self,
        operation: str,
        requests: Mapping[int, Mapping[str, Any]],
        units: Mapping[int, int],
        deadline: Deadline,
    ) -> list[ItemError]:
        """Write and delete in one call. Each item that the service left is throttled on its own."""
        if not requests:
            return []
        wanted = {self.name: list(requests.values())}
        answer = self.table.ask(operation, "batch_write_item", "dynamodb.wcu", deadline, RequestItems=wanted)
        left = {_key_in(one) for some in answer.get("UnprocessedItems", {}).values() for one in some}
        if not left <= set(map(_key_in, requests.values())):
            raise failure(ErrorCode.UNAVAILABLE, operation, "the answer is one to another call")
        return [
            ItemError(position, self.table.throttled(operation, "dynamodb.wcu", units[position]))
            for position, request in requests.items()
            if _key_in(request) in left
        ]

    def _read(self, operation: str, method: str, deadline: Deadline, **parameters: Any) -> Any:
        return self.table.ask(operation, method, "dynamodb.rcu", deadline, **parameters)

    def _living(self, item: Item | None) -> Record | None:
        """Return the record of an item, unless it has expired."""
        now = second(self.context.clock.now())
        if item is None or ("e" in item and int(item["e"]["N"]) <= now):
            return None
        return record_in(item)

    def _check_batch(self, operation: str, items: int, condition: Absent | Version | None = None) -> None:
        most = 1 if isinstance(condition, Version) else BATCH
        if items > most or (isinstance(condition, Version) and not items):
            raise failure(ErrorCode.INVALID, operation, f"{items} records; this call takes {most}")


def _found(answer: Any) -> list[Item]:
    """Return the items that a BatchGetItem brought."""
    return [item for items in answer["Responses"].values() for item in items]


def _unread(answer: Any) -> int:
    """Return how many keys a BatchGetItem left unread."""
    return sum(len(left["Keys"]) for left in answer.get("UnprocessedKeys", {}).values())


def _key_in(request: Mapping[str, Any]) -> Key:
    """Return the key of an item that is to be written or deleted."""
    return key_in(
        request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    )


def _range(partition: str, start: str, end: str) -> dict[str, Any]:
    """Return the condition of a query. Between two bounds the service includes both."""
    bounds = {":p": {"S": partition}, ":start": {"S": start}, ":end": {"S": end}}
    if start and end:
        condition = "s BETWEEN :start AND :end"
    elif start:
        condition = "s >= :start"
    else:
        condition = "s < :end"
    parts = ["p = :p", condition] if start or end else ["p = :p"]
    used = {name: value for name, value in bounds.items() if value["S"]}
    return {"KeyConditionExpression": " AND ".join(parts), "ExpressionAttributeValues": used}


def _position(cursor: str, partition: str, start: str, end: str) -> str:
    """Return the sort key a page ended with. A cursor that no page of this query gave is refused."""
    last = position_in(cursor, partition, start, end)
    if last is None:
        raise failure(ErrorCode.INVALID, "store.query", "the cursor is not one of this query's")
    return last
