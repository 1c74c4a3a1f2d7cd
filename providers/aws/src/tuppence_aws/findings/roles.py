"""Whether the roles of the functions may still do what the drivers say they have to.

The doctor calls every service with the rights of whoever runs it. A function has rights of its own, and one
that lost some of them may not even be able to write down that it fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tuppence.clock import Deadline
from tuppence.drivers import Permission, Role
from tuppence.findings import Finding, Look, wrong
from tuppence_aws.compute import CONSUME
from tuppence_aws.errors import translate
from tuppence_aws.findings import Caller, caller, if_there
from tuppence_aws.names import named
from tuppence_aws.session import Session

if TYPE_CHECKING:
    from tuppence_aws.compute import LambdaCompute

ROLES: Final[Mapping[str, Role]] = {
    "drain": Role.PROCESSOR,
    "seal": Role.PROCESSOR,
    "report": Role.REPORTER,
    CONSUME: Role.PROCESSOR,
}
"""Which permissions each function has, as in the Terraform module."""
EVERYTHING: Final = "*"
"""The resource of an action that IAM cannot narrow down, such as reading a metric."""
NAMED: Final = 3
"""Permissions that are named at most."""
_OPERATION: Final = "compute.findings"


def role_of(compute: LambdaCompute, part: str, permissions: Sequence[Permission]) -> Look:
    """Return the look at the role of a function, which asks IAM what it would answer."""

    def look(deadline: Deadline) -> Iterator[Finding]:
        name = named(compute.context.project, part, _OPERATION)
        function = if_there(lambda: compute.function(name, _OPERATION, deadline))
        if function is None or not permissions:
            return
        found = caller(compute.options, deadline)
        session = Session("iam", compute.options)
        try:
            denied = _denied(session, function["Role"], _here(permissions, found), deadline)
        finally:
            session.close()
        if denied:
            more = f" and {len(denied) - NAMED} more" if len(denied) > NAMED else ""
            detail = f"{name} is not allowed {', '.join(denied[:NAMED])}{more}"
            role = function["Role"].rpartition("/")[2]
            yield wrong(detail, f"`tuppence deploy` gives its role {role} the permissions it needs.")

    return look


def _denied(
    session: Session, role: str, actions: Mapping[str, Iterable[str]], deadline: Deadline
) -> list[str]:
    """Return what IAM would not let a role do, as `action on resource`."""
    denied = []
    for resource, names in actions.items():
        client: Any = session.client(_OPERATION, deadline)
        with translate(_OPERATION, needs=f"iam:SimulatePrincipalPolicy on {role}"):
            answer = client.simulate_principal_policy(
                PolicySourceArn=role, ActionNames=sorted(names), ResourceArns=[resource]
            )
        denied += [
            f"{one['EvalActionName']} on {resource}"
            for one in answer["EvaluationResults"]
            if one["EvalDecision"] != "allowed"
        ]
    return denied


def _here(permissions: Sequence[Permission], found: Caller) -> dict[str, set[str]]:
    """Return the actions by resource, with the region and account that drivers leave open."""
    actions: dict[str, set[str]] = {}
    for one in permissions:
        resource = one.resource if one.resource == EVERYTHING else _resource_here(one.resource, found)
        actions.setdefault(resource, set()).add(one.action)
    return actions


def _resource_here(resource: str, found: Caller) -> str:
    _, _, service, region, account, name = resource.split(":", 5)
    place = (found.region if region == "*" else region, found.account if account == "*" else account)
    return ":".join(("arn", found.partition, service, *place, name))
