"""From numbers to Monday's mail.

    report = build(store, config, week, clock)
    render_html(report), render_text(report), render_json(report), subject(report)

`send.send_week` sends one, `send.weeks_due` says which are owed. What renders is loaded when first used.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tuppence.clock import Clock, Deadline
    from tuppence.config import Config
    from tuppence.liveness import Pipeline
    from tuppence.report.document import Report
    from tuppence.report.period import Week
    from tuppence.store import Store

TIME: Final = timedelta(minutes=5)
"""How long reading may take where the caller sets no deadline."""


def build(
    store: Store,
    config: Config,
    week: Week,
    clock: Clock,
    *,
    pipeline: Pipeline | None = None,
    deadline: Deadline | None = None,
) -> Report:
    """Return the report on `week` from what is sealed.

    Args:
        store: where to read.
        config: whose report it is.
        week: the week reported. One that is not over is reported as far as it has come.
        clock: what time it is.
        pipeline: whether the jobs run (`tuppence.liveness.observe`); without it the report does not say.
        deadline: when to give up.

    Raises:
        DriverError: the store could not be read in time.
        TuppenceError: what was read is not readable by this release.

    """
    from tuppence.clock import Deadline
    from tuppence.liveness import Pipeline
    from tuppence.report.facts import facts
    from tuppence.report.gather import gather
    from tuppence.report.verdict import worded

    until = deadline or Deadline.after(TIME, clock)
    return worded(facts(gather(store, config, week, clock, pipeline=pipeline or Pipeline(), deadline=until)))


def render_html(report: Report) -> str:
    """Return the mail as HTML of at most 100,000 bytes, with nothing remote and no script in it."""
    from tuppence.report import render

    return render.render_html(report)


def render_text(report: Report) -> str:
    """Return the mail as plain text of up to 72 columns, equal in content."""
    from tuppence.report import render

    return render.render_text(report)


def render_json(report: Report) -> bytes:
    """Return the report as JSON in UTF-8, as `docs/reference/report-json.md` describes it."""
    from tuppence.report import render

    return render.render_json(report)


def subject(report: Report) -> str:
    """Return the mail's subject."""
    from tuppence.report import verdict

    return verdict.subject(report)
