"""`tuppence doctor`: looks at everything live, and says how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import click

from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import message_of, next_step
from tuppence.config import Config
from tuppence.drivers import Feature, Kind
from tuppence.errors import TuppenceError
from tuppence.findings import Finding, State, note, ok, wrong
from tuppence.runtime import Runtime

EARLIEST_YEAR: Final = 2026
"""When this was written. A clock that says less was never set."""


@click.command()
@shared
def doctor(session: Session) -> int:
    """Check everything live, and say how to mend it."""
    with session.runtime() as runtime:
        findings = list(_findings(runtime))
    session.output.table(
        ("", "part", "what was found", "what to do"),
        [(one.state.value, one.part, one.detail, one.mend) for one in findings],
    )
    sick = any(one.state is State.WRONG for one in findings)
    session.output.result({"healthy": not sick, "findings": findings})
    return COULD_NOT if sick else DONE


def _findings(runtime: Runtime) -> Iterator[Finding]:
    """Look at one thing after the other; what cannot be looked at is a finding too."""
    from tuppence.cli import parts, unfinished

    yield _configuration(runtime.config)
    yield _clock(runtime)
    found = {kind: list(parts.part(runtime, kind)) for kind in Kind}
    working = {kind for kind, findings in found.items() if parts.works(findings)}
    yield from (finding for findings in found.values() for finding in findings)
    yield from parts.agree(runtime, found)
    yield from _trigger(runtime, working)
    yield from _recipients(runtime.config)
    looks: list[Callable[[Runtime], Iterator[Finding]]] = [unfinished.journals]
    if Kind.SCHEDULER in working:
        looks.append(parts.schedule)
    if Kind.QUEUE in working:
        looks.append(unfinished.queue)
    if Kind.STORE in working:
        looks.append(unfinished.store)
    for look in looks:
        try:
            yield from look(runtime)
        except (TuppenceError, OSError) as error:
            yield wrong(message_of(error), next_step(error), part=look.__name__)


def _configuration(config: Config) -> Finding:
    if config.source is None:
        return note("no file was found", "`tuppence init` writes one.", part="configuration")
    return ok(f"{config.source}, time zone {config.timezone}", part="configuration")


def _clock(runtime: Runtime) -> Finding:
    now = runtime.clock.now()
    if now.year < EARLIEST_YEAR:
        return wrong(f"it says {now:%Y-%m-%d}", "Set this machine's clock.", part="clock")
    return ok(f"{now:%Y-%m-%d %H:%M} UTC", part="clock")


def _trigger(runtime: Runtime, working: set[Kind]) -> Iterator[Finding]:
    """Check that the way the drain is started exists."""
    native = Kind.COMPUTE in working and Feature.NATIVE_TRIGGER in runtime.compute.features
    if runtime.config.pipeline.trigger == "event" and not native:
        name = runtime.config.provider_of(Kind.COMPUTE)
        yield wrong(
            f"{name} does not call the drain when a message comes",
            'Write `trigger = "schedule"` below [pipeline].',
            part="trigger",
        )


def _recipients(config: Config) -> Iterator[Finding]:
    if not config.report.to:
        yield note("nobody gets the mail", "Write `to` below [report] in the configuration.", part="report")
