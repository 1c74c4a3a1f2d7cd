"""What there is to say of the function apps, beside whether they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, Look, note, ok, wrong
from tuppence_azure.compute import PARTS, unfit
from tuppence_azure.findings import looked, where

if TYPE_CHECKING:
    from tuppence_azure.compute import FunctionsCompute

_OPERATION: Final = "compute.findings"


def findings(compute: FunctionsCompute, deadline: Deadline) -> Iterator[Finding]:
    """Look at where the apps are, at each of them, and at its functions."""
    looks = [where(compute.management, _OPERATION)]
    for part in PARTS:
        looks += [_app(compute, part), _functions(compute, part)]
    return looked(deadline, *looks)


def _app(compute: FunctionsCompute, part: str) -> Look:
    def look(deadline: Deadline) -> Iterator[Finding]:
        try:
            found = compute.site(part, _OPERATION, deadline)
        except DriverError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            yield wrong(f"there is no function app {compute.management.site(part, _OPERATION)}", _MADE)
            return
        words = unfit(found)
        yield wrong(words, "`tuppence deploy` does not start it.") if words else ok(f"{found['name']} runs")

    return look


def _functions(compute: FunctionsCompute, part: str) -> Look:
    """Return the look at what of an app is disabled. Azure lists its functions once it has started."""

    def look(deadline: Deadline) -> Iterator[Finding]:
        found = compute.management.call(_OPERATION, "GET", part, "/functions", deadline=deadline)["value"]
        app = compute.management.site(part, _OPERATION)
        if not found:
            yield note(f"{app} has no functions yet", "Look again in some minutes; it may be starting.")
        for one in found:
            name = str(one["name"]).rpartition("/")[2]
            if one.get("properties", {}).get("isDisabled"):
                yield wrong(f"the function {name} of {app} is disabled", "Enable it in the Azure portal.")

    return look


_MADE: Final = "`tuppence deploy` makes it."
