"""`tuppence deploy` and `tuppence destroy`: the cloud resources, planned, shown, agreed to, then made."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import click

from tuppence import retry
from tuppence.cli.app import COULD_NOT, DONE, Session, shared
from tuppence.cli.output import CommandError, count
from tuppence.clock import Deadline
from tuppence.deploy import Change, Deployer
from tuppence.drivers import Kind
from tuppence.errors import TuppenceError
from tuppence.runtime import Runtime
from tuppence.schedules import NAMES, SCHEDULED, register, schedules
from tuppence.watch import Watch, watched

SETTLES: Final = timedelta(minutes=2)
"""How long a role that was just made may stay unknown to the scheduler that is to use it."""
NOTED: Final = timedelta(seconds=10)
"""How long it may take to write down from when on the jobs are expected."""

_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_backend = click.option(
    "--backend",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A Terraform file that says where the state is kept; the default is beside the configuration.",
)


@click.command()
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be done, and end.")
@_yes
@_backend
@shared
def deploy(session: Session, *, plan_only: bool, yes: bool, backend: Path | None) -> int:
    """Make or bring up to date the cloud resources.

    Shows what would change and asks, then makes it, then sets the schedules. Needs terraform or tofu.
    """
    _must_be_able_to_ask(session, needed=not (plan_only or yes))
    with session.runtime() as runtime:
        deployer = _deployer(session, runtime, backend)
        changes = _plan(session, deployer, destroy=False)
        if plan_only:
            session.output.result({"changes": changes, "applied": False})
            return DONE
        _must_not_lose(changes, yes=yes)
        if changes and not (yes or click.confirm("Do this?", err=True)):
            return _left_alone(session)
        outputs = deployer.apply()
        names = _schedule(session, runtime)
    session.output.table(("", ""), [(name, _words(value)) for name, value in outputs.items()])
    session.output.say("Deployed. `tuppence doctor` looks whether everything works.")
    session.output.result({"changes": changes, "applied": True, "outputs": outputs, "schedules": names})
    return DONE


@click.command()
@_yes
@_backend
@shared
def destroy(session: Session, *, yes: bool, backend: Path | None) -> int:
    """Remove the cloud resources, with all that is in them.

    Shows what would be removed and asks. Nothing that `tuppence deploy` made is left.
    """
    _must_be_able_to_ask(session, needed=not yes)
    with session.runtime() as runtime:
        deployer = _deployer(session, runtime, backend)
        changes = _plan(session, deployer, destroy=True)
        if changes and not (yes or click.confirm("Remove all of this for good?", err=True)):
            return _left_alone(session)
        if changes:
            for name in NAMES:
                _settled(session, partial(runtime.scheduler.remove, name), "scheduler.remove")
            deployer.destroy()
        kept = list(deployer.kept())
    session.output.say(f"{count(len(changes), 'resource')} removed.")
    for sentence in kept:
        session.output.say(sentence)
    session.output.result({"changes": changes, "applied": True, "kept": kept})
    return DONE


def _must_be_able_to_ask(session: Session, *, needed: bool) -> None:
    if needed and (session.output.json or not sys.stdin.isatty()):
        raise click.UsageError("Nobody can be asked here; add --yes once you have seen the plan.")


def _must_not_lose(changes: Sequence[Change], *, yes: bool) -> None:
    """Let nobody who was not asked lose what people sent."""
    lost = [change.resource for change in changes if change.loses]
    if lost and yes:
        raise CommandError(
            f"This would {' and '.join(sorted({c.action.value for c in changes if c.loses}))} "
            f"{', '.join(lost)}, with all that is in it.",
            "Undo the setting that changed, or run `tuppence deploy` without --yes and agree to it.",
        )


def _deployer(session: Session, runtime: Runtime, backend: Path | None) -> Deployer:
    """Return the deployer of the provider whose functions are to run, if anyone has said which."""
    if not runtime.config.configured:
        raise CommandError(
            "There is no configuration here, so there is nothing to deploy.",
            "`tuppence init --provider aws` writes one; --config FILE names one that is elsewhere.",
        )
    found = runtime.plugins.deployer_class(runtime.config.provider_of(Kind.COMPUTE))
    return found(runtime, say=session.output.note, backend=backend)


def _plan(session: Session, deployer: Deployer, *, destroy: bool) -> Sequence[Change]:
    with session.output.progress("Planning"):
        changes = deployer.plan(destroy=destroy)
    if not changes:
        session.output.say("There is nothing to remove." if destroy else "Everything is as it should be.")
        return changes
    session.output.table(
        ("", "resource", "what changes"),
        [(c.action.value, c.resource, "what it holds is lost" if c.loses else c.detail) for c in changes],
    )
    return changes


def _left_alone(session: Session) -> int:
    session.output.say("Nothing was changed.")
    return COULD_NOT


def _schedule(session: Session, runtime: Runtime) -> list[str]:
    """Set the schedules; return their names.

    From now on their jobs are expected to run. Who may deploy need not be allowed to write into the store;
    without it, a job that never runs is noticed once messages wait.
    """
    _settled(session, partial(register, runtime.scheduler, runtime.config), "scheduler.upsert")
    names = [schedule.name for schedule in schedules(runtime.config)]
    with suppress(TuppenceError):
        expected = [job for name in names for job in SCHEDULED[name]]
        runtime.heartbeats.expect(*expected, deadline=Deadline.after(NOTED, session.clock))
    return names


def _settled(session: Session, ask: Callable[[], object], name: str) -> None:
    """Ask the scheduler for something, again and again while it does not know its role."""

    def attempt(*, deadline: Deadline) -> None:  # noqa: ARG001 - a scheduler's calls have none
        ask()

    with watched(Watch(session.output.aside, patience=None)):
        retry.call(attempt, deadline=Deadline.after(SETTLES, session.clock), clock=session.clock, name=name)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}: {inner}" for name, inner in value.items())
    return str(value)
