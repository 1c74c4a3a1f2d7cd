"""The table behind the store: its options, its check, and calls on it within its capacity."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal

from tuppence.clock import Deadline
from tuppence.drivers import Context
from tuppence.errors import DriverError, ErrorCode
from tuppence_aws.capacity import Capacity
from tuppence_aws.errors import failure, translate
from tuppence_aws.names import arn
from tuppence_aws.session import AwsOptions, Session, region_of

Unit = Literal["dynamodb.rcu", "dynamodb.wcu"]

_KEYS: Final = [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}]
_STRINGS: Final = {("p", "S"), ("s", "S")}
_TTL: Final = "e"
_USABLE: Final = frozenset({"ACTIVE", "UPDATING"})


class StoreOptions(AwsOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which table, beside where.

    Attributes:
        table: its name; empty means `tuppence-<project>`.
        read_units, write_units: the capacity it was given, in units a second; 0 where it is paid on demand.

    """

    table: str = ""
    read_units: int = 25
    write_units: int = 25

    def __post_init__(self) -> None:
        """Refuse what the service would."""
        if self.table and not re.fullmatch(r"[a-zA-Z0-9_.-]{3,255}", self.table):
            raise ValueError(
                f"{self.table!r} cannot be a table's name, which is 3 to 255 of A-Z a-z 0-9 _ . -"
            )
        if self.read_units < 0 or self.write_units < 0:
            raise ValueError("read_units and write_units must be 0 or more")


class Table:
    """A table of DynamoDB, and what is used of it."""

    def __init__(self, options: StoreOptions, context: Context) -> None:
        self.name = options.table or f"tuppence-{context.project}"
        self.arn = arn("dynamodb", region_of(options), f"table/{self.name}")
        self._session = Session("dynamodb", options)
        self._meter = context.meter
        self._capacity: dict[Unit, Capacity] = {
            "dynamodb.rcu": Capacity(options.read_units, context.clock),
            "dynamodb.wcu": Capacity(options.write_units, context.clock),
        }

    def check(self, operation: str, deadline: Deadline) -> None:
        """Prove that the table is there, takes calls, has our keys, and deletes what has expired."""
        found = self.described(operation, deadline)
        ttl = self.time_to_live(operation, deadline)
        if found["TableStatus"] not in _USABLE:
            words = f"the table {self.name} is {found['TableStatus']}; wait until it is ACTIVE"
            raise failure(ErrorCode.UNAVAILABLE, operation, words)
        types = {(one["AttributeName"], one["AttributeType"]) for one in found["AttributeDefinitions"]}
        if found["KeySchema"] != _KEYS or not types >= _STRINGS:
            words = f"the table {self.name} is another's: its keys are not the strings p and s"
            raise failure(ErrorCode.INVALID, operation, f"{words}; name one of our own in `table`")
        if self.keeps(ttl):
            raise failure(ErrorCode.INVALID, operation, f"{self.keeping}; `tuppence deploy` gives it one")

    def described(self, operation: str, deadline: Deadline) -> Any:
        """Return what DynamoDB says of the table. Raises `DriverError`."""
        client = self._session.client(operation, deadline)
        with self._translated(operation, needs="dynamodb:DescribeTable"):
            return client.describe_table(TableName=self.name)["Table"]

    def time_to_live(self, operation: str, deadline: Deadline) -> Any:
        """Return what DynamoDB says of how it deletes what has expired. Raises `DriverError`."""
        client = self._session.client(operation, deadline)
        with self._translated(operation, needs="dynamodb:DescribeTimeToLive"):
            return client.describe_time_to_live(TableName=self.name)["TimeToLiveDescription"]

    def keeps(self, ttl: Any) -> bool:
        """Whether what has expired is never deleted."""
        enabled = ttl.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}
        return not enabled or ttl.get("AttributeName") != _TTL

    @property
    def keeping(self) -> str:
        """What is wrong with a table that does."""
        return f"the table {self.name} would keep what has expired: it has no time to live on `{_TTL}`"

    def ask(
        self,
        operation: str,
        method: str,
        unit: Unit,
        deadline: Deadline,
        *,
        weighed: Callable[[Any], int] = lambda _: 0,
        **parameters: Any,
    ) -> Any:
        """Make one call, if there is capacity for it, and count what it used. Raises `DriverError`.

        Args:
            operation: kind and method, for errors.
            method: of the SDK's client.
            unit: what the call uses.
            deadline: by when.
            weighed: gives the units by the answer's weight. The greater count holds: emulators tell less.
            parameters: of the call.

        """
        client = self._session.client(operation, deadline)
        wait = self._capacity[unit].wait()
        if wait:
            words = f"no capacity is left for {wait:.1f} s"
            raise failure(ErrorCode.THROTTLED, operation, words, retry_after=wait)
        try:
            with self._translated(operation):
                answer = getattr(client, method)(ReturnConsumedCapacity="TOTAL", **parameters)
        except DriverError as error:
            if error.code is ErrorCode.THROTTLED:
                raise self.throttled(operation, unit, 1) from error.__cause__
            raise
        self.used(unit, max(units_in(answer), weighed(answer)))
        return answer

    def used(self, unit: Unit, units: float) -> None:
        """Count units that were used."""
        self._capacity[unit].use(units)
        if units:
            self._meter.count(unit, math.ceil(units))

    def throttled(self, operation: str, unit: Unit, units: float) -> DriverError:
        """Return the error of what the service left undone, for want of so many units."""
        capacity = self._capacity[unit]
        capacity.exhaust()
        words = f"the table {self.name} has no capacity left"
        retry_after = capacity.seconds_for(units)
        return failure(ErrorCode.THROTTLED, operation, words, retry_after=retry_after)

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    @contextmanager
    def _translated(self, operation: str, *, needs: str = "") -> Iterator[None]:
        """Turn what the SDK raises into `DriverError`, with a missing table called by its name."""
        try:
            with translate(operation, needs=f"{needs} on {self.arn}" if needs else ""):
                yield
        except DriverError as error:
            if error.code is ErrorCode.UNAUTHENTICATED:
                self._session.close()  # the next call finds credentials anew
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            words = f"there is no table {self.name}; `tuppence deploy` creates it"
            raise failure(ErrorCode.NOT_FOUND, operation, words) from error.__cause__


def units_in(answer: Any) -> float:
    """Return the units a call used, which the answers of batches list by table."""
    told = answer.get("ConsumedCapacity", [])
    return float(sum(one["CapacityUnits"] for one in (told if isinstance(told, list) else [told])))
