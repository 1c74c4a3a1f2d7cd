"""`tuppence doctor`: looks at everything live, and says how to mend what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

import click

from tuppence.cli import pipeline, time_zone
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import Output, message_of, remedy
from tuppence.clock import Deadline
from tuppence.config import Config
from tuppence.drivers import Feature, Kind, Schedule
from tuppence.errors import TuppenceError
from tuppence.findings import Finding, State, note, ok, wrong
from tuppence.liveness import observe
from tuppence.report.pipeline_state import reason
from tuppence.runtime import Runtime

PATIENCE: Final = timedelta(seconds=30)
"""How long looking at the jobs may take."""
EARLIEST_YEAR: Final = 2026
"""When this was written. A clock that says less was never set."""


@click.command()
@shared
def doctor(session: Session) -> int:
    """Check everything live, and say how to mend it."""
    with session.runtime() as runtime:
        findings = list(_findings(runtime, session.output))
    session.output.table(
        ("", "part", "what was found", "what to do"),
        [(one.state.value, one.part, one.detail, one.mend) for one in findings],
    )
    sick = any(one.state is State.WRONG for one in findings)
    session.output.result({"healthy": not sick, "findings": findings})
    return COULD_NOT if sick else DONE


def _findings(runtime: Runtime, output: Output) -> Iterator[Finding]:
    """Look at one thing after the other; what cannot be looked at is a finding too."""
    from tuppence.cli import parts, unfinished
    from tuppence.cli.set_aside import set_aside

    yield _configuration(runtime.config)
    yield from _service_links(runtime.config)
    yield _clock(runtime)
    found: dict[Kind, list[Finding]] = {}
    for kind in Kind:
        with output.waiting(f"the {kind.value}"):
            found[kind] = list(parts.part(runtime, kind))
    working = {kind for kind, findings in found.items() if parts.works(findings)}
    yield from (finding for findings in found.values() for finding in findings)
    yield from parts.agree(runtime, found)
    yield from _trigger(runtime, working)
    yield from _recipients(runtime.config)
    there: list[Schedule] = []
    looks: dict[str, Callable[[], Iterator[Finding]]] = {
        "journals": lambda: unfinished.journals(runtime),
        "set aside": lambda: set_aside(runtime),
    }
    if Kind.SCHEDULER in working:
        looks["schedule"] = lambda: _schedules(runtime, there)
    if Kind.STORE in working:
        looks["jobs"] = lambda: _jobs(runtime, there)
        looks["store"] = lambda: unfinished.store(runtime)
        looks[time_zone.PART] = lambda: time_zone.days(runtime)
    for part, look in looks.items():
        try:
            with output.waiting(f"the {part}"):
                yield from list(look())
        except (TuppenceError, OSError) as error:
            yield wrong(message_of(error), remedy(error), part=part)


def _schedules(runtime: Runtime, there: list[Schedule]) -> Iterator[Finding]:
    """Look at the schedules, and put those that are set into `there`."""
    there += runtime.scheduler.schedules()
    yield from pipeline.schedule(runtime, there)


def _jobs(runtime: Runtime, there: list[Schedule]) -> Iterator[Finding]:
    """Look at the heartbeats of the jobs and at what waits for them."""
    seen = observe(runtime, there, deadline=Deadline.after(PATIENCE, runtime.clock))
    yield from pipeline.jobs(runtime, seen)
    if seen.queue_failure is not None:
        detail = f"how much waits in the queue is not known: {reason(seen.queue_failure)}"
        yield wrong(detail, pipeline.mend_of(seen.queue_failure), part="queue")
    if seen.store_failure is not None:
        detail = f"when the jobs last ran is not known: {reason(seen.store_failure)}"
        yield wrong(detail, pipeline.mend_of(seen.store_failure), part="store")


def _configuration(config: Config) -> Finding:
    if config.source is None:
        return note("no file was found", "`tuppence init` writes one.", part="configuration")
    return ok(f"{config.source}, time zone {config.timezone}", part="configuration")


def _service_links(config: Config) -> Iterator[Finding]:
    if config.ignored:
        yield note(
            f"{', '.join(config.ignored)}: set by Kubernetes for a Service, and ignored",
            "Write `enableServiceLinks: false` in the pod's specification to be rid of them.",
            part="environment",
        )


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
