"""What `tuppence doctor` is told of each part on AWS: a file for each, loaded when the doctor asks.

A look makes a call or two. What one may not see is a finding, and hides none of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, note, ok
from tuppence_aws.errors import translate
from tuppence_aws.session import AwsOptions, Session

Look = Callable[[Deadline], Iterable[Finding]]

_ALLOW: Final = "Allow it to whoever runs `tuppence doctor`, or look in the AWS console."
_AGAIN: Final = "Run `tuppence doctor` again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose credentials are in use, and where."""

    account: str
    partition: str
    region: str
    identity: str


def looked(deadline: Deadline, *looks: Look) -> Iterator[Finding]:
    """Look at one thing after the other. A driver's `check` says what is missing, and who is not let in."""
    for look in looks:
        try:
            yield from look(deadline)
        except DriverError as error:
            if error.code is ErrorCode.UNAUTHENTICATED:
                return
            if error.code is not ErrorCode.NOT_FOUND:
                yield note(error.message, _ALLOW if error.code is ErrorCode.FORBIDDEN else _AGAIN)


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
