"""`tuppence report`: one week's report, shown, saved or sent."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import click

from tuppence import jobs
from tuppence import report as reports
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import CommandError, Output
from tuppence.cli.private_file import write_private
from tuppence.clock import Deadline
from tuppence.errors import ConfigError
from tuppence.liveness import observe, schedules_set
from tuppence.report import clocks
from tuppence.report.period import LAST, THIS
from tuppence.runtime import Runtime

if TYPE_CHECKING:
    from tuppence.report.document import Report
    from tuppence.report.period import Week
    from tuppence.report.send import Sent

PATIENCE: Final = timedelta(minutes=10)
MAILING: Final = timedelta(seconds=50)
"""How long one mail may take. The next try, if there is to be one, is that of whoever typed this one."""
OBSERVING: Final = 30.0
"""Seconds that looking at the jobs and the queue may take of it."""
RENDERERS: Final[Mapping[str, Callable[[Report], str]]] = {
    "html": reports.render_html,
    "text": reports.render_text,
    "json": lambda built: reports.render_json(built).decode(),
}


@click.command()
@click.option("--week", help="An ISO week, as in 2026-W46, or last, or this.  [default: last]")
@click.option("--format", "form", type=click.Choice(list(RENDERERS)), default="text", show_default=True)
@click.option("--output", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write it here.")
@click.option("--open", "show", is_flag=True, help="Show it in the browser.")
@click.option("--send", is_flag=True, help="Mail it to those who have not had it.")
@click.option("--to", multiple=True, metavar="ADDRESS", help="With --send: mail it here only, even again.")
@shared
def report(
    session: Session,
    week: str | None,
    form: str,
    file: Path | None,
    to: tuple[str, ...],
    *,
    show: bool,
    send: bool,
) -> int:
    """Print, write, open or send a week's report."""
    if to and not send:
        raise click.UsageError("--to says where to --send; give both", click.get_current_context())
    with session.runtime() as runtime:
        with session.output.waiting("the store"):
            built = _built(session, runtime, week, send=send)
        with session.output.waiting("the mailer"):
            sent = _send(runtime, built, to) if send else []
    for remark in clocks.remarks(built):
        session.output.note(remark)
    if file is not None:
        write_private(file, RENDERERS[form](built))
        session.output.say(f"Wrote {file}")
    if show:
        _open(built, session.output)
    if file is None and not show and not send:
        shown = RENDERERS["json" if session.output.json else form](built)
        if form == "text" and not session.output.json:
            click.echo(shown, nl=False)
        else:
            session.output.document(shown.encode())
        return DONE
    for one in sent:
        session.output.say(_outcome(one))
    if any(one.status.value == "written" for one in sent):
        session.output.note("Nothing was sent: without an SMTP `host` below [mailer], mails become files.")
    session.output.result({"week": built.period.week, "output": file and str(file), "sent": sent})
    return DONE if all(one.done for one in sent) else COULD_NOT


def _built(session: Session, runtime: Runtime, text: str | None, *, send: bool) -> Report:
    """Return the report. In a project's first week, a preview shows that week as far as it has come."""
    deadline = Deadline.after(PATIENCE, runtime.clock)
    pipeline = observe(runtime, schedules_set(runtime), deadline=deadline.within(OBSERVING))

    def build(week: Week) -> Report:
        store, config, clock = runtime.store, runtime.config, runtime.clock
        return reports.build(store, config, week, clock, pipeline=pipeline, deadline=deadline)

    week, this = _week(runtime, text or LAST), _week(runtime, THIS)
    if send and week.end > runtime.clock.now():
        raise click.BadParameter(
            f"{week.label} is not over, and its mail is sent once; leave out --send to see it so far",
            param_hint="--week",
        )
    built = build(week)
    if text or send or built.kind != "empty":
        return built
    current = build(this)
    if not current.totals.events:
        return built
    session.output.note(f"Nothing arrived in {week.label}; this is {this.label}, which is not over.")
    return current


def _week(runtime: Runtime, text: str) -> Week:
    from tuppence.report.period import Week

    try:
        return Week.parse(text, ZoneInfo(runtime.config.timezone), runtime.clock.now())
    except ConfigError as error:
        raise click.BadParameter(str(error), param_hint="--week") from None


def _send(runtime: Runtime, built: Report, to: tuple[str, ...]) -> list[Sent]:
    """Mail the report: to those configured, once; or to the addresses asked for, now."""
    recipients = to or runtime.config.report.to
    if not recipients:
        raise CommandError("Nobody is to get the mail.", "Write `to` below [report], or give --to ADDRESS.")
    deadline = Deadline.after(MAILING * len(recipients), runtime.clock)
    return jobs.mail(runtime, built, recipients, force=bool(to), deadline=deadline)


def _outcome(one: Sent) -> str:
    """Return what became of a mail; one that was written says where it lies."""
    where = " to" if one.status.value.endswith("written") else ""
    return f"{one.to}: {one.status.value.replace('_', ' ')}{where} {one.detail}".rstrip()


def _open(built: Report, output: Output) -> None:
    """Show the report in the browser, from a file that stays, since the browser reads it when it likes."""
    with tempfile.NamedTemporaryFile(
        "w", suffix=".html", prefix="tuppence-", delete=False, encoding="utf-8"
    ) as page:
        page.write(reports.render_html(built))
    output.say(page.name)
    if not webbrowser.open(Path(page.name).as_uri()):
        output.note("No browser could be opened; open that file yourself.")
