"""`tuppence bench`: proves that recording does not slow an application's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import CommandError

if TYPE_CHECKING:
    from tuppence.bench.compare import Measured

REQUESTS: Final = 1_000
MOST: Final = 10_000
"""Some three minutes; beyond it a measured process is taken for one that hangs."""
BUDGET: Final = 1.0
"""Milliseconds: more than a quiet machine shows, less than anybody who waits for an answer notices."""


@click.command()
@click.option(
    "--budget",
    metavar="MS",
    type=click.FloatRange(min=0),
    default=BUDGET,
    show_default=True,
    help="Milliseconds that may be added to the 95th percentile.",
)
@click.option(
    "--requests",
    type=click.IntRange(10, MOST),
    default=REQUESTS,
    show_default=True,
    help="Requests in each condition.",
)
@click.option(
    "--provider",
    default="bench",
    show_default=True,
    help="Whose queue is used; one that has the option `endpoint`.",
)
@shared
def bench(session: Session, budget: float, requests: int, provider: str) -> int:
    """Prove that recording does not slow your answers.

    A small application that takes 12 ms for an answer is asked with and without tuppence, while its queue is
    healthy, slow, too busy, hanging and dead; and with a request to the queue before each answer, to show
    that a difference would be seen. Nothing of yours is read or written.
    """
    from tuppence.bench.compare import TURNS, BenchError, compare

    with session.output.progress("Asking", TURNS) as advance:
        try:
            found = compare(provider, requests, advance)
        except BenchError as error:
            raise CommandError(str(error), "Run it again, with fewer `--requests` if need be.") from error
    rows = [
        _row("without tuppence", found.without),
        _row("the same again", found.again),
        *(_row(f"queue {one.queue}", one) for one in found.recorded),
        _row("control: blocking", found.control),
    ]
    session.output.table(("", "p50 ms", "p95 ms", "p99 ms", "added p50", "added p95"), rows)
    problems = found.problems(budget)
    for problem in problems:
        session.output.note(problem)
    if not problems:
        worst = max(one.added_p95 for one in found.recorded)
        session.output.say(f"At most {worst:.2f} ms are added; the budget is {budget:g} ms.")
    session.output.result(
        {
            "budget_ms": budget,
            "passed": not problems,
            "problems": problems,
            "without": found.without,
            "again": found.again,
            "recorded": found.recorded,
            "control": found.control,
        }
    )
    return COULD_NOT if problems else DONE


def _row(name: str, one: Measured) -> tuple[str, ...]:
    times = (one.p50, one.p95, one.p99, one.added_p50, one.added_p95)
    return name, *(f"{time:.2f}" for time in times)
