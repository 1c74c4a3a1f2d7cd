"""`tuppence demo`: a first look at the report, made by the whole pipeline from a made-up week."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click

from tuppence.cli.app import Session, shared
from tuppence.cli.output import count
from tuppence.cli.private_file import write_private
from tuppence.clock import Deadline
from tuppence.config import Config

if TYPE_CHECKING:
    from tuppence.report.document import Report
    from tuppence.report.period import Week

MOST: Final = 100_000
"""Events in the week reported; beyond it a demo shows nothing new and takes minutes."""
STEP: Final = timedelta(minutes=5)


@click.command()
@click.option(
    "--events",
    type=click.IntRange(1, MOST),
    default=3_000,
    show_default=True,
    help="Events in the week reported.",
)
@click.option(
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where to write: a new or empty folder, or another demo's.",
)
@click.option("--seed", default=1, show_default=True, help="The same seed in the same week, the same events.")
@shared
def demo(session: Session, events: int, folder: Path, seed: int) -> None:
    """Show a report at once, about a made-up week.

    Two weeks of an invented shop's support bot go through the whole pipeline, on this machine alone. The last
    line printed is where the report is.
    """
    from tuppence import report
    from tuppence.demo.run import prepare
    from tuppence.report.period import Week

    config = prepare(folder)
    week = Week.last(session.clock.now(), ZoneInfo(config.timezone))
    captured = _capture(session, config, week, events=events, seed=seed)
    built = _process(session, config, week)
    place = folder / "report.html"
    write_private(place, report.render_html(built))
    write_private(place.with_suffix(".txt"), report.render_text(built))
    write_private(place.with_suffix(".json"), report.render_json(built).decode())
    _summarise(session, built, captured, place)


def _capture(session: Session, config: Config, week: Week, *, events: int, seed: int) -> int:
    """Capture the week and the one before, which was a little quieter; return how many events that made."""
    from tuppence.demo import traffic
    from tuppence.demo.run import live

    counts = ((week.previous, events * 5 // 6), (week, events))
    with session.output.progress("Two weeks of questions", sum(number for _, number in counts)) as advance:
        for one, number in counts:
            made_up = traffic.Week(one.monday, one.zone, seed=seed, before=one != week)
            live(config, made_up.events(number), advance)
    return sum(number for _, number in counts)


def _process(session: Session, config: Config, week: Week) -> Report:
    """Take everything from the queue to the report, as a worker would."""
    from tuppence import report
    from tuppence.pipeline.drain import drain
    from tuppence.pipeline.seal import seal
    from tuppence.runtime import Runtime

    with Runtime(config, clock=session.clock) as runtime, session.output.progress("Making numbers") as _:
        project, retention, clock = config.project, config.retention, session.clock
        drain(
            runtime.queue,
            runtime.store,
            project=project,
            retention=retention,
            clock=clock,
            deadline=Deadline.after(STEP, clock),
        )
        seal(
            runtime.store,
            project=project,
            zone=week.zone,
            retention=retention,
            clock=clock,
            deadline=Deadline.after(STEP, clock),
        )
        return report.build(runtime.store, config, week, clock)


def _summarise(session: Session, built: Report, captured: int, place: Path) -> None:
    output = session.output
    output.say("Fernway posts houseplants. It does not exist, and its bot has had a busy fortnight:")
    output.say(
        f"{count(captured, 'event')} captured, sent, drained, sealed and reported, on this machine alone."
    )
    output.say()
    for sentence in built.verdict:
        output.say(f"  {sentence}")
    output.say()
    output.say("This is what would be in Monday's mail. `tuppence init` begins with your own.")
    output.say(str(place))
    output.result(
        {
            "week": built.period.week,
            "captured": captured,
            "report": {name: str(place.with_suffix(f".{name}")) for name in ("html", "txt", "json")},
        }
    )
