"""What there is to say of the table, beside whether it works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tuppence.clock import Deadline
from tuppence.findings import Finding, note, ok, wrong
from tuppence_aws.findings import looked, whose

if TYPE_CHECKING:
    from tuppence_aws.store import DynamoStore

FREE: Final = 25
"""Reads, and writes, a second that cost nothing, of all tables of an account together.

https://aws.amazon.com/dynamodb/pricing/provisioned/, read November 2026.
"""
_OPERATION: Final = "store.findings"
_DEPLOY: Final = "`tuppence deploy` sets what the configuration says."


def findings(store: DynamoStore, deadline: Deadline) -> Iterator[Finding]:
    """Look at the table's capacity, and at how it deletes what has expired."""
    table = store.table

    def capacity(deadline: Deadline) -> Iterator[Finding]:
        found = table.described(_OPERATION, deadline)
        given = found.get("ProvisionedThroughput", {})
        units = (given.get("ReadCapacityUnits", 0), given.get("WriteCapacityUnits", 0))
        wanted = (store.options.read_units, store.options.write_units)
        demanded = not all(units)
        told = "pays for each read and write" if demanded else f"has {_words(units)} a second"
        detail = f"the table {table.name} {told}"
        if demanded == all(wanted) or not (demanded or units == wanted):
            yield note(f"{detail}; the configuration says {_words(wanted)}", _DEPLOY)
        if demanded or max(units) > FREE:
            yield note(
                f"{detail}, which is billed; {_words((FREE, FREE))} a second are free",
                f"`read_units = {FREE}` and `write_units = {FREE}` below [store] cost nothing.",
            )
        else:
            yield ok(f"{detail}, which is free as long as all tables together have {_words((FREE, FREE))}")

    def time_to_live(deadline: Deadline) -> Iterator[Finding]:
        found = table.time_to_live(_OPERATION, deadline)
        status = found.get("TimeToLiveStatus")
        if table.keeps(found):
            yield wrong(table.keeping, "`tuppence deploy` gives it one; until then data never leaves.")
        elif status == "ENABLING":
            detail = f"time to live is being enabled on {table.name}, which may take an hour"
            yield note(detail, "Look again then; until it is, what has expired is hidden and not deleted.")
        else:
            yield ok(f"time to live is {status}: what has expired is deleted within days")

    return looked(deadline, whose(store.options), capacity, time_to_live)


def _words(units: tuple[int, int]) -> str:
    return f"{units[0]} reads and {units[1]} writes"
