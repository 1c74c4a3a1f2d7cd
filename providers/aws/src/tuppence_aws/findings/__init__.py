"""What `tuppence doctor` is told of each part on AWS: a file for each, loaded when the doctor asks.

A look makes a call or two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from tuppence import findings
from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, Look, ok
from tuppence_aws.errors import translate
from tuppence_aws.session import AwsOptions, Session

looked = partial(findings.looked, console="the AWS console")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose credentials are in use, and where."""

    account: str
    partition: str
    region: str
    identity: str


def whose(options: AwsOptions) -> Look:
    """Return the look at account, region and identity."""

    def look(deadline: Deadline) -> Iterator[Finding]:
        found = caller(options, deadline)
        place = f"account {found.account}, {found.region}"
        yield ok(f"{place}, as {found.identity}", place=place)

    return look


def caller(options: AwsOptions, deadline: Deadline) -> Caller:
    """Ask STS, which tells everyone who they are. Raises `DriverError`."""
    operation = "sts.caller"
    session = Session("sts", options)
    try:
        client = session.client(operation, deadline)
        with translate(operation):
            found = client.get_caller_identity()
        region = str(client.meta.region_name)
    finally:
        session.close()
    _, partition, _, _, _, resource = found["Arn"].split(":", 5)
    return Caller(account=found["Account"], partition=partition, region=region, identity=_identity(resource))


def if_there(ask: Callable[[], Any]) -> Any:
    """Return what is asked for, or `None` where it is not there."""
    try:
        return ask()
    except DriverError as error:
        if error.code is ErrorCode.NOT_FOUND:
            return None
        raise


def _identity(resource: str) -> str:
    """Return who that is. The name of a role's session is left out: it is often somebody's address."""
    kind, _, name = resource.partition("/")
    if kind == "assumed-role":
        return f"role {name.partition('/')[0]}"
    return f"{kind} {name.rpartition('/')[2]}".strip()
