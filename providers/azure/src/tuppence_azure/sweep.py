"""The sweep: finds what has expired in the whole table, and deletes it.

The service has no index but the keys, so it looks at every entity, for up to five seconds a request, and
answers with what it found so far. Where a call has to end early, the next goes on from there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Final

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence_azure.entities import Entity, etag_in, key_in
from tuppence_azure.errors import Refused
from tuppence_azure.table import ABSENT, Table
from tuppence_azure.transactions import CHANGES, Change

FOUND: Final = 1000
"""Entities that one answer names at most."""


class Sweep:
    """Goes through a table, over several calls if need be."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._after: Mapping[str, str] = {}

    def purge(self, until: int, limit: int, deadline: Deadline) -> int:
        """Delete up to `limit` of what expired before the second `until`; return how many.

        A call that deletes fewer has been through the table to its end.
        """
        deleted = 0
        while deleted < limit:
            try:
                found, following = self._look(until, limit - deleted, deadline)
                for _, group in groupby(found, key=lambda entity: str(entity["PartitionKey"])):
                    deleted += self._delete(list(group), deadline)
            except DriverError:
                if deleted:
                    return deleted
                raise
            self._after = following
            if not following:
                break
        return deleted

    def _look(self, until: int, limit: int, deadline: Deadline) -> tuple[Sequence[Entity], Mapping[str, str]]:
        asked = {
            "$filter": f"e lt {until}L",
            "$select": "PartitionKey,RowKey,Timestamp",
            "$top": str(min(limit, FOUND)),
        }
        return self._table.query("store.purge", {**asked, **self._after}, deadline)

    def _delete(self, entities: Sequence[Entity], deadline: Deadline) -> int:
        """Delete entities of one partition that are still what was found; return how many that were."""
        deleted = 0
        changes = [self._table.remove(key_in(entity), etag_in(entity)) for entity in entities]
        for at in range(0, len(changes), CHANGES):
            some = changes[at : at + CHANGES]
            if len(some) > 1 and self._deleted(some, deadline):
                deleted += len(some)
            else:
                deleted += sum(self._deleted([change], deadline) for change in some)
        return deleted

    def _deleted(self, changes: Sequence[Change], deadline: Deadline) -> bool:
        """Delete all or none; return whether none of them had changed or was gone. Raises `DriverError`."""
        try:
            return self._table.make("store.purge", changes, deadline)
        except Refused as error:
            if error.code is ErrorCode.CONFLICT or error.name in ABSENT:
                return False
            raise
