from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from zoneinfo import ZoneInfo

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import Context, Feature, MailerDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.mailer import LocalMailer, MailerOptions
from tuppence.local.store import LocalStore
from tuppence.meter import UnitMeter
from tuppence.report.claims import PENDING, recipient_id, unconfirmed
from tuppence.report.period import Week
from tuppence.report.send import Status, send_week, weeks_due
from tuppence.retry import FEW_TRIES
from tuppence.store import Store
from tuppence.testing.clock import ManualClock

MONDAY = datetime(2026, 11, 16, 7, tzinfo=UTC)
ANN, BEN = "ann@example.com", "ben@example.com"
LONDON = ZoneInfo("Europe/London")


@pytest.fixture
def clock():
    return ManualClock(MONDAY)


@pytest.fixture
def context(clock):
    return Context(project="mybot", meter=UnitMeter(), clock=clock)


@pytest.fixture
def store(tmp_path, context, clock):
    driver = LocalStore(LocalStore.Options(path=str(tmp_path / "events.db")), context)
    yield Store(driver, clock)
    driver.close()


class Mailbox(MailerDriver):
    """Accepts mail, or fails as it is told, for what no real service does on demand."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.accepted = []
        self.tries = 0

    def check(self):
        pass

    def send(self, email, /, *, idempotency_key, deadline):
        self.tries += 1
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.accepted.append((email.to, idempotency_key))
        return f"id-{len(self.accepted)}"


def failed(code):
    return DriverError(code, operation="mailer.send", provider="test")


@pytest.fixture
def send(log, store, clock):
    log.ask("Where is my parcel?", times=2, at="2026-11-10T10")
    log.ask("Do you ship to Cork?", "no_match", at="2026-11-10T10")

    def run(mailer, *recipients, log=log, **more):
        return send_week(
            log.report(),
            store=store,
            mailer=mailer,
            sender="bot@example.com",
            recipients=recipients or (ANN,),
            clock=clock,
            deadline=Deadline.after(60, clock),
            **more,
        )

    return run


def doubtful(store, clock):
    return unconfirmed(store, "mybot", clock.now(), deadline=Deadline.after(60, clock))


def due(store, clock, *recipients):
    last = Week.last(clock.now(), LONDON)
    weeks = weeks_due(store, "mybot", recipients or (ANN,), last, deadline=Deadline.after(60, clock))
    return [week.label for week in weeks]


def test_a_real_mail_holds_both_parts_and_the_tables(send, context, tmp_path):
    mailer = LocalMailer(MailerOptions(directory=str(tmp_path / "outbox")), context)

    (sent,) = send(mailer)

    (file,) = (tmp_path / "outbox").glob("*.eml")
    assert (sent.status, sent.detail) == (Status.WRITTEN, str(file))
    assert send(mailer)[0].status is Status.ALREADY_WRITTEN
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert mail["Subject"] == "[mybot] quiet week: 3 questions, 2 of 3 answered \u2013 wk 46"
    assert mail["Auto-Submitted"] == "auto-generated"
    kinds = [part.get_content_type() for part in mail.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "text/csv", "text/csv"]
    text = " ".join(mail.get_body(("plain",)).get_content().split())
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names == ["topics-2026-W46.csv", "gaps-2026-W46.csv"]
    assert "Where is my parcel?" in text
    assert (
        "Attached to the mail: topics-2026-W46.csv (what was asked, 2 rows) and "
        "gaps-2026-W46.csv (what was not answered, 1 row)." in text
    )


def test_each_recipient_is_sent_a_week_once(send, store, clock):
    mailbox = Mailbox()

    first = send(mailbox, ANN, BEN, "Ann <ANN@example.com>")
    again = send(mailbox, ANN, BEN)

    assert [sent.status for sent in first] == [Status.SENT, Status.SENT]
    assert [sent.status for sent in again] == [Status.ALREADY_SENT, Status.ALREADY_SENT]
    assert len({key for _, key in mailbox.accepted}) == len(mailbox.accepted) == 2
    clock.advance(PENDING)
    assert doubtful(store, clock) == []


@pytest.mark.parametrize("code", [ErrorCode.TIMEOUT, ErrorCode.UNKNOWN])
def test_a_mail_in_doubt_is_not_sent_again_but_reported(send, store, clock, code):
    mailbox = Mailbox(failed(code))

    (sent,) = send(mailbox)
    (again,) = send(mailbox)

    assert (sent.status, again.status) == (Status.UNCONFIRMED, Status.UNCONFIRMED)
    assert mailbox.tries == 1
    assert doubtful(store, clock) == []
    clock.advance(PENDING)
    (claim,) = doubtful(store, clock)
    assert (claim.week, claim.recipient) == ("2026-W46", recipient_id(ANN))


def test_an_error_no_driver_should_raise_leaves_the_mail_in_doubt(send):
    mailbox = Mailbox(KeyError("leaked"))

    (sent,) = send(mailbox)

    assert sent.status is Status.UNCONFIRMED
    assert mailbox.tries == 1


def test_a_crash_after_the_mail_was_handed_over_leaves_it_in_doubt(send, store, clock):
    mailbox = Mailbox(KeyboardInterrupt())

    with pytest.raises(KeyboardInterrupt):
        send(mailbox)
    (again,) = send(mailbox)

    assert again.status is Status.UNCONFIRMED
    assert mailbox.accepted == []
    clock.advance(PENDING)
    assert len(doubtful(store, clock)) == 1


@pytest.mark.parametrize(
    ("code", "tries"),
    [
        (ErrorCode.UNAUTHENTICATED, FEW_TRIES),
        (ErrorCode.FORBIDDEN, 1),
        (ErrorCode.INVALID, 1),
        (ErrorCode.TOO_LARGE, 1),
        (ErrorCode.NOT_FOUND, 1),
        (ErrorCode.UNSUPPORTED, 1),
    ],
)
def test_a_refused_mail_may_be_sent_by_the_next_run(send, store, clock, code, tries):
    mailbox = Mailbox(*[failed(code)] * tries)

    (refused,) = send(mailbox)
    assert due(store, clock) == ["2026-W46"]
    (sent,) = send(mailbox)

    assert (refused.status, sent.status) == (Status.REFUSED, Status.SENT)
    assert due(store, clock) == []


def test_a_busy_mailer_is_asked_again_until_the_deadline(send):
    patient, busy = (
        Mailbox(*[failed(ErrorCode.THROTTLED)] * 3),
        Mailbox(*[failed(ErrorCode.UNAVAILABLE)] * 999),
    )

    (sent,) = send(patient, ANN)
    (refused,) = send(busy, BEN)

    assert (sent.status, patient.tries) == (Status.SENT, 4)
    assert refused.status is Status.REFUSED
    assert 1 < busy.tries < 999


def test_a_mailer_that_knows_the_key_is_asked_again_after_a_timeout(send):
    class Remembering(Mailbox):
        features = frozenset({Feature.IDEMPOTENT_MAIL})

    mailbox = Remembering(failed(ErrorCode.TIMEOUT))

    (sent,) = send(mailbox)

    assert (sent.status, mailbox.tries) == (Status.SENT, 2)


def test_one_recipient_that_fails_does_not_stop_the_next(send):
    mailbox = Mailbox(failed(ErrorCode.INVALID))

    refused, sent = send(mailbox, ANN, BEN)

    assert (refused.to, refused.status) == (ANN, Status.REFUSED)
    assert (sent.to, sent.status) == (BEN, Status.SENT)


def test_nothing_is_begun_after_the_deadline(log, store, clock):
    mailbox = Mailbox()

    (sent,) = send_week(
        log.report(),
        store=store,
        mailer=mailbox,
        sender="",
        recipients=[ANN],
        clock=clock,
        deadline=Deadline.after(0, clock),
    )

    assert (sent.status, mailbox.tries) == (Status.REFUSED, 0)


def test_force_sends_again_under_another_key(send, clock):
    mailbox = Mailbox()

    send(mailbox)
    clock.advance(timedelta(hours=1))
    (sent,) = send(mailbox, force=True)

    assert sent.status is Status.SENT
    assert len({key for _, key in mailbox.accepted}) == 2


def test_a_forced_mail_that_is_refused_leaves_the_earlier_one_on_record(send):
    mailbox = Mailbox()

    send(mailbox)
    mailbox.answers = [failed(ErrorCode.FORBIDDEN)]
    (refused,) = send(mailbox, force=True)
    (again,) = send(mailbox)

    assert (refused.status, again.status) == (Status.REFUSED, Status.ALREADY_SENT)


def test_missed_weeks_are_owed_once_oldest_first(send, store, clock):
    send(Mailbox())
    clock.advance(timedelta(weeks=3))

    assert due(store, clock) == ["2026-W47", "2026-W48", "2026-W49"]


def test_at_most_four_weeks_are_caught_up_and_a_new_project_owes_one(send, store, clock):
    assert due(store, clock) == ["2026-W46"]

    send(Mailbox())
    clock.advance(timedelta(weeks=30))

    last = Week.last(clock.now(), LONDON)
    assert due(store, clock) == [last.ago(number).label for number in (3, 2, 1, 0)]


def test_a_new_recipient_is_owed_the_last_week_only(send, store, clock):
    send(Mailbox(), ANN)

    assert due(store, clock, ANN) == []
    assert due(store, clock, ANN, BEN) == ["2026-W46"]


def test_a_week_sent_after_its_monday_is_marked_as_late(send, clock, tmp_path, context):
    clock.advance(timedelta(weeks=1))
    mailer = LocalMailer(MailerOptions(directory=str(tmp_path / "outbox")), context)

    send(mailer)

    (file,) = (tmp_path / "outbox").glob("*.eml")
    assert message_from_bytes(file.read_bytes(), policy=default)["Subject"].endswith("wk 46, late")
