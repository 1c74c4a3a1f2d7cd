"""`tuppence doctor`: looks at everything live, and says how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import click

from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.findings import Finding, State, note, ok, wrong
from tuppence.cli.output import message_of, next_step
from tuppence.config import Config
from tuppence.drivers import Driver, Feature, Kind
from tuppence.errors import TuppenceError
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
    from tuppence.cli import unfinished

    yield _configuration(runtime.config)
    yield _clock(runtime)
    working = set()
    for kind in Kind:
        finding = _driver(runtime, kind)
        working |= {kind} if finding.state is State.OK else set()
        yield finding
    yield from _trigger(runtime, working)
    yield from _recipients(runtime.config)
    looks: list[Callable[[Runtime], Iterator[Finding]]] = [unfinished.journals]
    if Kind.QUEUE in working:
        looks.append(unfinished.queue)
    if Kind.STORE in working:
        looks.append(unfinished.store)
    for look in looks:
        try:
            yield from look(runtime)
        except (TuppenceError, OSError) as error:
            yield wrong(look.__name__, message_of(error), next_step(error))


def _configuration(config: Config) -> Finding:
    if config.source is None:
        return note("configuration", "no file was found", "`tuppence init` writes one.")
    return ok("configuration", f"{config.source}, time zone {config.timezone}")


def _clock(runtime: Runtime) -> Finding:
    now = runtime.clock.now()
    if now.year < EARLIEST_YEAR:
        return wrong("clock", f"it says {now:%Y-%m-%d}", "Set this machine's clock.")
    return ok("clock", f"{now:%Y-%m-%d %H:%M} UTC")


def _driver(runtime: Runtime, kind: Kind) -> Finding:
    """Make the one live call that proves a driver works."""
    try:
        part = getattr(runtime, kind.value)
        driver: Driver = getattr(part, "driver", part)  # queue and store come wrapped in core's policy
        driver.check()
    except (TuppenceError, OSError) as error:
        return wrong(kind.value, message_of(error), next_step(error))
    return ok(kind.value, runtime.config.provider_of(kind))


def _trigger(runtime: Runtime, working: set[Kind]) -> Iterator[Finding]:
    """Check that the way the drain is started exists."""
    native = Kind.COMPUTE in working and Feature.NATIVE_TRIGGER in runtime.compute.features
    if runtime.config.pipeline.trigger == "event" and not native:
        name = runtime.config.provider_of(Kind.COMPUTE)
        yield wrong(
            "trigger",
            f"{name} does not call the drain when a message comes",
            'Write `trigger = "schedule"` below [pipeline].',
        )


def _recipients(config: Config) -> Iterator[Finding]:
    if not config.report.to:
        yield note("report", "nobody gets the mail", "Write `to` below [report] in the configuration.")
