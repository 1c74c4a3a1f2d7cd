"""What the doctor asks the five drivers: whether each works, what it has to say, and whether they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from tuppence.cli.output import message_of, remedy
from tuppence.clock import Deadline
from tuppence.drivers import Driver, Kind, Permission, Role
from tuppence.errors import TuppenceError
from tuppence.findings import Finding, State, note, ok, wrong
from tuppence.runtime import Runtime

PATIENCE: Final = timedelta(seconds=30)
"""How long one driver may look at what it has."""


def part(runtime: Runtime, kind: Kind) -> Iterator[Finding]:
    """Make the one live call that proves a driver works, then ask what else there is to say."""
    try:
        built = getattr(runtime, kind.value)
        driver: Driver = getattr(built, "driver", built)  # queue and store come wrapped in core's policy
    except (TuppenceError, OSError) as error:
        yield wrong(message_of(error), remedy(error), part=kind.value)
        return
    said = ok(runtime.config.provider_of(kind), part=kind.value)
    try:
        driver.check()
    except (TuppenceError, OSError) as error:
        said = wrong(message_of(error), remedy(error), part=kind.value)
    yield said
    for finding in _closer(runtime, kind, driver):
        if finding.detail not in said.detail:
            yield replace(finding, part=kind.value)


def agree(runtime: Runtime, found: Mapping[Kind, list[Finding]]) -> Iterator[Finding]:
    """Compare where the parts of each provider are."""
    places: dict[str, dict[str, list[str]]] = {}
    for kind, findings in found.items():
        for place in {one.place for one in findings if one.place}:
            here = places.setdefault(runtime.config.provider_of(kind), {})
            here.setdefault(place, []).append(kind.value)
    for provider, here in places.items():
        if len(here) > 1:
            told = "; ".join(f"{', '.join(kinds)} in {place}" for place, kinds in here.items())
            mend = "Unless you mean it so, give them the same region and credentials."
            yield note(f"{provider} is in {len(here)} places: {told}", mend, part="places")


def _closer(runtime: Runtime, kind: Kind, driver: Driver) -> list[Finding]:
    """Return what a driver finds. One that breaks its promise and raises is a finding itself."""
    report = runtime.config.report
    more: dict[str, Any] = {}
    if kind is Kind.MAILER:
        more = {"sender": report.sender, "to": report.to}
    elif kind is Kind.COMPUTE:
        more = {"permissions": _permissions(runtime)}
    findings: list[Finding] = []
    try:
        findings.extend(driver.findings(deadline=Deadline.after(PATIENCE, runtime.clock), **more))
    except (TuppenceError, OSError) as error:
        findings.append(note(message_of(error), remedy(error)))
    return findings


def _permissions(runtime: Runtime) -> dict[Role, list[Permission]]:
    """Return what each deployed role must be allowed to do, of the drivers of the functions' provider."""
    provider = runtime.config.provider_of(Kind.COMPUTE)
    drivers: list[Driver] = []
    for kind in Kind:
        if runtime.config.provider_of(kind) == provider:
            with suppress(TuppenceError, OSError):  # one that cannot be built is a finding already
                built = getattr(runtime, kind.value)
                drivers.append(getattr(built, "driver", built))
    roles = (Role.PROCESSOR, Role.REPORTER)
    return {role: [one for driver in drivers for one in driver.permissions(role)] for role in roles}


def works(findings: list[Finding]) -> bool:
    """Whether a driver's check, which is told first, went well."""
    return findings[0].state is State.OK
