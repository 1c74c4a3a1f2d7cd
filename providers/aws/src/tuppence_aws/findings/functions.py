"""What there is to say of the functions, beside whether they work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from tuppence.clock import Deadline
from tuppence.drivers import Permission, Role
from tuppence.findings import Finding, Look, note, ok, wrong
from tuppence_aws.compute import CONSUME, FUNCTIONS, unfit
from tuppence_aws.errors import translate
from tuppence_aws.findings import if_there, looked, whose
from tuppence_aws.findings.roles import ROLES, role_of
from tuppence_aws.names import named
from tuppence_aws.session import Session

if TYPE_CHECKING:
    from tuppence_aws.compute import LambdaCompute

FEW: Final = 50
"""Functions running at once in an account, below which others may leave none for ours.

The default is 1,000; new accounts have 10 (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html,
read November 2026).
"""
_OPERATION: Final = "compute.findings"
_STOPPED: Final = frozenset({"Disabled", "Disabling"})


def findings(
    compute: LambdaCompute, deadline: Deadline, permissions: Mapping[Role, Sequence[Permission]]
) -> Iterator[Finding]:
    """Look at the account's quota, at each function and its role, and at what SQS calls."""
    session = Session("lambda", compute.options)
    looks = [_quota(session)]
    looks += [_function(compute, session, part) for part in dict.fromkeys(FUNCTIONS.values())]
    looks += [_mapping(compute, session)]
    looks += [role_of(compute, part, permissions.get(role, ())) for part, role in ROLES.items()]
    try:
        yield from looked(deadline, whose(compute.options), *looks)
    finally:
        session.close()


def _quota(session: Session) -> Look:
    def look(deadline: Deadline) -> Iterator[Finding]:
        client = session.client(_OPERATION, deadline)
        with translate(_OPERATION, needs="lambda:GetAccountSettings on *"):
            limit = client.get_account_settings()["AccountLimit"]
        most = limit.get("ConcurrentExecutions", 0)
        free = limit.get("UnreservedConcurrentExecutions", most)
        if free < FEW:
            detail = f"{free} functions without a reserve of their own may run at once in this account"
            yield note(detail, "Where there are others, ask for more in the Service Quotas console.")

    return look


def _function(compute: LambdaCompute, session: Session, part: str) -> Look:
    def look(deadline: Deadline) -> Iterator[Finding]:
        name = named(compute.context.project, part, _OPERATION)
        found = if_there(lambda: compute.function(name, _OPERATION, deadline))
        if found is None:
            yield wrong(f"there is no function {name}", "`tuppence deploy` creates it.")
            return
        if words := unfit(found):
            yield wrong(words, "`tuppence deploy` makes it anew.")
        elif found.get("LastUpdateStatus") == "Failed":
            reason = found.get("LastUpdateStatusReason") or "Lambda gives no reason"
            yield wrong(f"the last update of {name} failed: {reason}", "Run `tuppence deploy` again.")
        else:
            yield ok(f"{name} is there, on {found.get('Runtime', 'an image')}")
        client = session.client(_OPERATION, deadline)
        with translate(_OPERATION, needs=f"lambda:GetFunctionConcurrency on {compute.arn(name)}"):
            reserved = client.get_function_concurrency(FunctionName=name).get("ReservedConcurrentExecutions")
        if reserved == 0:
            mend = f"`aws lambda delete-function-concurrency --function-name {name}` lets it run."
            yield wrong(f"{name} is throttled to nothing, and never runs", mend)

    return look


def _mapping(compute: LambdaCompute, session: Session) -> Look:
    """Return the look at what has SQS call the consumer, where there is one."""

    def look(deadline: Deadline) -> Iterator[Finding]:
        name = named(compute.context.project, CONSUME, _OPERATION)
        client = session.client(_OPERATION, deadline)
        with translate(_OPERATION, needs=f"lambda:ListEventSourceMappings on {compute.arn(name)}"):
            pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=name)
            found = [one for page in pages for one in page["EventSourceMappings"]]
        for one in found:
            if one.get("State") in _STOPPED:
                yield wrong(
                    f"SQS does not call {name}: its mapping is {one['State']}",
                    f"`aws lambda update-event-source-mapping --uuid {one['UUID']} --enabled` starts it.",
                )

    return look
