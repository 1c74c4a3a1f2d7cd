"""What there is to say of the functions, beside whether they work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, Look, ok, wrong
from tuppence_gcp.compute import FUNCTIONS, WAITED
from tuppence_gcp.findings import looked, where
from tuppence_gcp.names import function_named
from tuppence_gcp.session import Session, beside

if TYPE_CHECKING:
    from tuppence_gcp.compute import CloudRunCompute

EVERYBODY: Final = frozenset({"allUsers", "allAuthenticatedUsers"})
_OPERATION: Final = "compute.findings"
_INVOKER: Final = "roles/run.invoker"


class _Binding(msgspec.Struct):
    role: str = ""
    members: list[str] = []


class _Policy(msgspec.Struct):
    bindings: list[_Binding] = []


def findings(compute: CloudRunCompute, deadline: Deadline) -> Iterator[Finding]:
    """Look at each function, at what it may take, and at who may call it."""
    session = Session(
        "https://run.googleapis.com", "RUN_EMULATOR_HOST", beside(compute.options), compute.context.clock
    )
    looks = [_place(compute)]
    looks += [_function(compute, session, part) for part in dict.fromkeys(FUNCTIONS.values())]
    try:
        yield from looked(deadline, *looks)
    finally:
        session.close()


def _place(compute: CloudRunCompute) -> Look:
    def look(deadline: Deadline) -> Iterator[Finding]:
        place = where(compute.place(_OPERATION, deadline))
        yield ok(place, place=place)
        if compute.options.timeout > WAITED:
            minutes = WAITED.total_seconds() / 60
            yield wrong(
                f"a call may take {compute.options.timeout}; Cloud Scheduler waits {minutes:.0f} minutes",
                f'Write `timeout = "{minutes:.0f}m"` below [compute], and run `tuppence deploy`.',
            )

    return look


def _function(compute: CloudRunCompute, session: Session, part: str) -> Look:
    def look(deadline: Deadline) -> Iterator[Finding]:
        name = function_named(compute.context.project, part, _OPERATION)
        try:
            found = compute.function(name, _OPERATION, deadline)
        except DriverError as error:
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            yield wrong(error.message.partition(";")[0], "`tuppence deploy` creates it.")
            return
        if found.unfit:
            yield wrong(found.unfit, "Run `tuppence deploy` again.")
        else:
            yield ok(f"{name} is there, on {found.build_config.runtime or 'a runtime of its own'}")
        yield from _callers(session, name, found.service_config.service, deadline)

    return look


def _callers(session: Session, name: str, service: str, deadline: Deadline) -> Iterator[Finding]:
    """Look who may call it: where everybody may, Cloud Run looks at no token, and one could be made up."""
    if not service:
        return
    path = f"/v2/{service}:getIamPolicy"
    policy = session.call(_OPERATION, "GET", path, None, _Policy, deadline=deadline)
    members = {one for binding in policy.bindings for one in binding.members if binding.role == _INVOKER}
    for one in sorted(members & EVERYBODY):
        command = f"gcloud run services remove-iam-policy-binding {service.rpartition('/')[2]}"
        yield wrong(
            f"everybody may call {name}: {one} has {_INVOKER} on it",
            f"`{command} --member={one} --role={_INVOKER}` takes it away.",
        )
