"""What `tuppence doctor` is told of each part on Azure: a file for each, loaded when the doctor asks.

A look makes a call or two.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from tuppence import findings
from tuppence.clock import Deadline
from tuppence.drivers import Role
from tuppence.findings import Finding, Look, ok
from tuppence_azure.management import Management

looked = partial(findings.looked, console="the Azure portal")


def where(management: Management, operation: str) -> Look:
    """Return the look at subscription and region."""

    def look(deadline: Deadline) -> Iterator[Finding]:
        site: Any = management.call(operation, "GET", Role.PROCESSOR.value, deadline=deadline)
        region = str(site.get("location", "")).lower().replace(" ", "")
        place = f"subscription {management.subscription(operation)}, {region}"
        yield ok(f"{place}, resource group {management.group}", place=place)

    return look
