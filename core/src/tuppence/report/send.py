"""Sends a week's report: once to each recipient, whatever happens in between."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from tuppence.clock import Clock, Deadline
from tuppence.drivers import Attachment, Email, Feature, MailerDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.report import claims
from tuppence.report.claims import Claim, recipient_id
from tuppence.report.csv import attached
from tuppence.report.document import Report
from tuppence.report.period import Week
from tuppence.report.render import render_html, render_text
from tuppence.report.verdict import subject
from tuppence.retry import call, leaked
from tuppence.store import Store

CAUGHT_UP: Final = 4
"""Weeks that are owed at most, the last included."""
UNCLEAR: Final = frozenset(
    {ErrorCode.TIMEOUT, ErrorCode.UNKNOWN, ErrorCode.ALREADY_EXISTS, ErrorCode.CONFLICT}
)
"""Errors after which the mail may have been sent; all others come before it is accepted."""


class Status(StrEnum):
    """What became of a mail."""

    SENT = "sent"
    ALREADY_SENT = "already_sent"
    WRITTEN = "written"  # to a file, and sent to nobody
    ALREADY_WRITTEN = "already_written"
    UNCONFIRMED = "unconfirmed"  # it may have been sent, now or earlier; it is not sent again by itself
    REFUSED = "refused"  # certainly not sent; the next run tries again


DONE: Final = frozenset({Status.SENT, Status.ALREADY_SENT, Status.WRITTEN, Status.ALREADY_WRITTEN})
"""After these there is nothing left to do."""


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the mail to one recipient; `detail` is the mailer's id for it, its file, or an error."""

    to: str
    status: Status
    detail: str = ""

    @property
    def done(self) -> bool:
        """Whether there is nothing left to do."""
        return self.status in DONE


def send_week(
    report: Report,
    *,
    store: Store,
    mailer: MailerDriver,
    sender: str,
    recipients: Sequence[str],
    clock: Clock,
    deadline: Deadline,
    force: bool = False,
) -> list[Sent]:
    """Send the report to each recipient that has not been sent it.

    Args:
        report: what is sent; one about another week than the last is marked as late.
        store: where claims are kept.
        mailer: what sends.
        sender: the address it comes from; empty leaves it to the mailer's own setting.
        recipients: addresses; one given twice counts once.
        clock: what time it is.
        deadline: no mail is begun after it.
        force: send again also what has been sent or may have been.

    Returns:
        One result for each recipient. One that fails does not stop the next.

    """
    last = Week.last(clock.now(), ZoneInfo(report.period.zone)).label
    if report.period.week != last:
        report = msgspec.structs.replace(report, overdue=True)
    emails = _emails(report, sender, recipients)
    run = _Run(store, mailer, report, clock, deadline)
    return [run.send(email, force=force) for email in emails]


def weeks_due(
    store: Store, project: str, recipients: Sequence[str], last: Week, *, deadline: Deadline
) -> list[Week]:
    """Return the weeks whose mail is still owed, oldest first.

    `last`, the newest week that is over, is owed while a recipient lacks it. Those before it are owed where
    they are newer than any mail there has been: then no job ran when they were due.
    """
    found = claims.standing(store, project, last.sunday.year, deadline=deadline)
    newest = max((claim.week for claim in found), default=last.label)
    missed = [week for number in range(CAUGHT_UP - 1, 0, -1) if (week := last.ago(number)).label > newest]
    reached = {claim.recipient for claim in found if claim.week == last.label}
    wanted = {recipient_id(address) for address in recipients}
    return [*missed, last] if wanted - reached else missed


class _Run:
    """One sending of one report."""

    def __init__(
        self, store: Store, mailer: MailerDriver, report: Report, clock: Clock, deadline: Deadline
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._project = report.project
        self._week = report.period.week
        self._clock = clock
        self._deadline = deadline

    def send(self, email: Email, *, force: bool) -> Sent:
        """Claim, send, confirm. Never raises `DriverError`."""
        if self._deadline.expired:
            return Sent(to=email.to, status=Status.REFUSED, detail="no time was left")
        claim = Claim(week=self._week, recipient=recipient_id(email.to), at=self._clock.now())
        try:
            found = self._claim(claim, force=force)
            if isinstance(found, Sent):
                return msgspec.structs.replace(found, to=email.to)
            return self._hand_over(email, claim, found)
        except DriverError as error:
            return Sent(to=email.to, status=Status.REFUSED, detail=str(error))

    def _claim(self, claim: Claim, *, force: bool) -> Claim | Sent | None:
        """Take the claim; return the earlier one it replaces, or what is known where it is another's."""
        until = self._deadline
        if claims.take(self._store, self._project, claim, deadline=until):
            return None
        earlier, version = claims.find(self._store, self._project, claim, deadline=until) or (None, "")
        if (
            force
            and earlier
            and claims.take(self._store, self._project, claim, instead_of=version, deadline=until)
        ):
            return earlier
        if earlier is not None and earlier.sent:
            status = Status.ALREADY_WRITTEN if earlier.written else Status.ALREADY_SENT
            return Sent(to="", status=status, detail=earlier.sent)
        return Sent(to="", status=Status.UNCONFIRMED, detail="claimed by an earlier run, or by one going on")

    def _hand_over(self, email: Email, claim: Claim, earlier: Claim | None) -> Sent:
        try:
            answer = self._deliver(email, self._idempotency_key(claim, earlier))
        except DriverError as error:
            claims.release(self._store, self._project, claim, earlier=earlier, deadline=self._deadline)
            return Sent(to=email.to, status=Status.REFUSED, detail=str(error))
        if isinstance(answer, DriverError):
            return Sent(to=email.to, status=Status.UNCONFIRMED, detail=str(answer))
        written = Feature.WRITES_FILES in self._mailer.features
        done = Status.WRITTEN if written else Status.SENT
        try:
            claims.confirm(
                self._store, self._project, claim, answer, written=written, deadline=self._deadline
            )
        except DriverError as error:
            detail = f"{done} as {answer}, but that could not be recorded: {error}"
            return Sent(to=email.to, status=Status.UNCONFIRMED, detail=detail)
        return Sent(to=email.to, status=done, detail=answer)

    def _deliver(self, email: Email, key: str) -> str | DriverError:
        """Return the mailer's id, or the error after which nobody knows. Raises one that came before."""
        repeatable = Feature.IDEMPOTENT_MAIL in self._mailer.features

        def attempt(*, deadline: Deadline) -> str | DriverError:  # noqa: ARG001 - late is in doubt
            try:
                return self._mailer.send(email, idempotency_key=key, deadline=self._deadline)
            except DriverError as error:
                if error.code in UNCLEAR and not repeatable:
                    return error
                raise
            except Exception as error:  # noqa: BLE001 - whatever leaks from a driver leaves the mail in doubt
                return leaked(error, "mailer.send")

        try:
            return call(attempt, deadline=self._deadline, clock=self._clock, name="mailer.send")
        except DriverError as error:
            if error.code in UNCLEAR:
                return error
            raise

    def _idempotency_key(self, claim: Claim, earlier: Claim | None) -> str:
        """Return the same key for the same mail; a mail sent again on purpose is another."""
        again = f"-{claim.at:%Y%m%d%H%M%S}" if earlier else ""
        return f"{self._project}-{claim.week}-{claim.recipient}{again}"


def _emails(report: Report, sender: str, recipients: Sequence[str]) -> list[Email]:
    """Return one mail for each different recipient, in the order given."""
    addresses = {recipient_id(address): address.strip() for address in reversed(recipients)}
    html, text = render_html(report), render_text(report)
    attachments = [
        Attachment(name=one.name, content_type="text/csv", body=one.body.encode()) for one in attached(report)
    ]
    return [
        Email(
            sender=sender,
            to=address,
            subject=subject(report),
            text=text,
            html=html,
            headers={"Auto-Submitted": "auto-generated"},
            attachments=attachments,
        )
        for address in reversed(addresses.values())
    ]
