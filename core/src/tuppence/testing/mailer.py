"""The contract of a mailer. The provider opens the letterbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Attachment, Context, Email, Feature, Kind, MailerDriver
from tuppence.errors import DriverError, ErrorCode
from tuppence.testing.contract import Advancing, OpenDriver, Soon, check_units, opened, refused
from tuppence.testing.driver import ResourceContract
from tuppence.testing.trouble import Calls, OpenInTrouble, Trouble, TroubleContract

Letterbox = Callable[[], Sequence[EmailMessage]]

MAIL = Email(
    sender="Jörg's bot <bot@example.com>",
    to="me@example.org",
    subject="Week 47: 1,204 questions, £0.00",
    text="Fünf questions.\n.\nA line that is a dot.\n",
    html="<p>Fünf <b>questions</b>.</p>\n",
    headers={"X-Tuppence-Week": "2026-W47"},
    attachments=(Attachment(name="übersicht.csv", content_type="text/csv", body=b"a,b\r\n\x001,2\r\n"),),
)

HIDDEN = "=?utf-8?q?Hello=0D=0ABcc:_victim@example.com?="
"""An encoded word (RFC 2047) that is a line break and another header once decoded."""
SUBJECTS = {
    "signs": "Week 47: 1,204 questions, £0.00 \U0001f4ca",
    "right to left": "שבוע 47 — أسبوع",
    "longer than a line": "questions " * 40 + "end",
    "longer than a line, no spaces": "ü" * 200,
    "equals signs and question marks": "a=?b ?= 50% =41",
}
TEXTS = {
    "unicode": "Fünf £ \U0001f4ca 日本語 שלום\n",
    "dots": ".\n..\n.end\n",
    "a very long line": "long " * 2_000 + "\n",
    "From at the start": "From here on\nFrom there\n",
    "empty lines": "\n\na\n\n\n",
    "equals signs": "a=3D=\nb=\n",
}
HOUR = timedelta(hours=1)
REPORT = 2 * 1024 * 1024
"""Bytes of an attachment far larger than a week's numbers."""


class MailContract(ResourceContract):
    """What every mailer does with a mail. Part of `MailerContract`."""

    kind = Kind.MAILER
    about = "mail"

    @pytest.fixture
    def letterbox(self) -> Letterbox:
        """Return the provider's own: gives what has arrived so far, parsed with `email.policy.default`."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `letterbox`")

    def test_a_mail_arrives_as_it_was_sent(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox
    ) -> None:
        """Addresses, subject, own headers, text, HTML and attachments, whatever their letters.

        What becomes a file is not called sent: `WRITES_FILES` says so, and then the id is the file's path.
        """
        mail_id = driver.send(MAIL, idempotency_key="one", deadline=soon())

        (mail,) = letterbox()
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert mail_id
        assert Path(mail_id).is_file() == (Feature.WRITES_FILES in driver.features)
        assert (mail["From"], mail["To"], mail["Subject"]) == (MAIL.sender, MAIL.to, MAIL.subject)
        assert not [name for name in ("Cc", "Bcc", "Resent-To") if name in mail]
        assert mail["X-Tuppence-Week"] == "2026-W47"
        assert text is not None
        assert html is not None
        assert text.get_content().replace("\r\n", "\n") == MAIL.text
        assert html.get_content().replace("\r\n", "\n") == MAIL.html
        (attachment,) = mail.iter_attachments()
        assert attachment.get_filename() == "übersicht.csv"
        assert attachment.get_payload(decode=True) == MAIL.attachments[0].body

    def test_a_mail_has_one_date_and_it_is_now(
        self, driver: MailerDriver, soon: Soon, clock: Advancing, letterbox: Letterbox
    ) -> None:
        """Without one, or with a wrong one, a mail sinks in the inbox; a service has a clock of its own."""
        driver.send(MAIL, idempotency_key="one", deadline=soon())

        (mail,) = letterbox()
        (date,) = mail.get_all("Date", [])
        assert min(abs(date.datetime - now) for now in (clock.now(), datetime.now(UTC))) < HOUR

    @pytest.mark.parametrize(
        "change",
        [
            {"subject": "Hello\r\nBcc: victim@example.com"},
            {"to": "me@example.org\nBcc: victim@example.com"},
            {"sender": "bot@example.com\r\nX: y"},
            {"headers": {"X-A": "b\r\nBcc: victim@example.com"}},
            {"headers": {"X-A: b\r\nBcc": "victim@example.com"}},
        ],
        ids=["subject", "to", "sender", "header value", "header name"],
    )
    def test_a_line_break_makes_no_header(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox, change: dict[str, object]
    ) -> None:
        """Refused as `INVALID`, not mended, and nothing is sent."""
        with refused(ErrorCode.INVALID):
            driver.send(replace(MAIL, **change), idempotency_key="one", deadline=soon())  # type: ignore[arg-type]  # each case is a field of Email

        assert not letterbox()

    @pytest.mark.parametrize(
        "change",
        [
            {"subject": HIDDEN},
            {"to": f"{HIDDEN} <me@example.org>"},
            {"sender": f"{HIDDEN} <bot@example.com>"},
            {"headers": {"X-A": HIDDEN}},
            {"attachments": (replace(MAIL.attachments[0], name=HIDDEN),)},
        ],
        ids=["subject", "to", "sender", "header value", "attachment name"],
    )
    def test_an_encoded_line_break_makes_no_header(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox, change: dict[str, object]
    ) -> None:
        """Refused as `INVALID`, or sent as the text it is: what is decoded on the way ends no line."""
        try:
            driver.send(replace(MAIL, **change), idempotency_key="one", deadline=soon())  # type: ignore[arg-type]  # each case is a field of Email
        except DriverError as error:
            assert error.code is ErrorCode.INVALID  # noqa: PT017 - to send it harmlessly is right too

        for mail in letterbox():
            assert "Bcc" not in mail
            assert not any("Bcc" in part for part in mail.walk())

    @pytest.mark.parametrize("to", ["", "nobody", "a@example.org, b@example.org", "Me <>"])
    def test_a_mail_goes_to_one_address(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox, to: str
    ) -> None:
        """Anything else is `INVALID`, and nothing is sent."""
        with refused(ErrorCode.INVALID):
            driver.send(replace(MAIL, to=to), idempotency_key="one", deadline=soon())

        assert not letterbox()

    def test_two_keys_are_two_mails(self, driver: MailerDriver, soon: Soon, letterbox: Letterbox) -> None:
        """The same content under another key is sent again."""
        first = driver.send(MAIL, idempotency_key="one", deadline=soon())
        second = driver.send(MAIL, idempotency_key="two", deadline=soon())

        assert first != second
        assert len(letterbox()) == 2

    def test_a_repeated_key_is_no_error(self, driver: MailerDriver, soon: Soon, letterbox: Letterbox) -> None:
        """`IDEMPOTENT_MAIL` sends it once, and says so by the same id; without it, two may arrive."""
        first = driver.send(MAIL, idempotency_key="one", deadline=soon())
        second = driver.send(MAIL, idempotency_key="one", deadline=soon())

        if Feature.IDEMPOTENT_MAIL in driver.features:
            assert (first, len(letterbox())) == (second, 1)
        else:
            assert len(letterbox()) in {1, 2}

    def test_a_key_is_known_to_every_driver(
        self,
        driver: MailerDriver,
        soon: Soon,
        letterbox: Letterbox,
        open_driver: OpenDriver[MailerDriver],
        context: Context,
    ) -> None:
        """`IDEMPOTENT_MAIL` is the service's memory: the repeat may come from another process."""
        first = driver.send(MAIL, idempotency_key="one", deadline=soon())
        with opened(open_driver, context) as other:
            second = other.send(MAIL, idempotency_key="one", deadline=soon())

        if Feature.IDEMPOTENT_MAIL in driver.features:
            assert (first, len(letterbox())) == (second, 1)
        else:
            assert len(letterbox()) in {1, 2}

    def test_findings_name_nobody(self, driver: MailerDriver, soon: Soon) -> None:
        """What `doctor` prints is pasted into issues: it holds no address of the mails to come."""
        to = ["sam.secret@example.org"]

        found = list(driver.findings(deadline=soon(), sender="Bot <jo.secret@example.com>", to=to))

        assert all(one.detail and not one.part for one in found)
        assert not [one for one in found if "secret@" in f"{one.detail} {one.mend}"]

    @pytest.mark.parametrize("key", ["x" * 300, "2026-W47/fünf £ me@example.org", "a\r\nb"])
    def test_a_key_is_any_text(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox, key: str
    ) -> None:
        """However long, and whatever is in it: nothing of it gets into the mail as it is."""
        assert driver.send(MAIL, idempotency_key=key, deadline=soon())

        (mail,) = letterbox()
        assert mail["To"] == MAIL.to

    @pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
    def test_a_subject_arrives_as_it_was_sent(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox, subject: str
    ) -> None:
        """Of any script and length."""
        driver.send(replace(MAIL, subject=subject), idempotency_key="one", deadline=soon())

        (mail,) = letterbox()
        assert mail["Subject"] == subject

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_text_and_html_arrive_as_they_were_sent(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox, text: str
    ) -> None:
        """No line is cut, doubled or taken for an end."""
        driver.send(replace(MAIL, text=text, html=f"<p>{text}</p>\n"), idempotency_key="one", deadline=soon())

        (mail,) = letterbox()
        plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert plain is not None
        assert html is not None
        assert plain.get_content().replace("\r\n", "\n") == text
        assert html.get_content().replace("\r\n", "\n") == f"<p>{text}</p>\n"

    def test_attachments_arrive_whole_and_in_order(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox
    ) -> None:
        """Large, empty, of bytes that are no text, and with a name that would have to be quoted."""
        files = (
            Attachment(name="week.csv", content_type="text/csv", body=b"a,b\r\n" * (REPORT // 5)),
            Attachment(name='a "b"; c.json', content_type="application/json", body=b"{}"),
            Attachment(name="bytes.bin", content_type="application/octet-stream", body=bytes(range(256))),
            Attachment(name="nothing.txt", content_type="text/plain", body=b""),
        )

        driver.send(replace(MAIL, attachments=files), idempotency_key="one", deadline=soon())

        (mail,) = letterbox()
        arrived = [
            Attachment(
                name=part.get_filename() or "",
                content_type=part.get_content_type(),
                body=part.get_payload(decode=True),  # type: ignore[arg-type]  # bytes, of a part that is none of several
            )
            for part in mail.iter_attachments()
        ]
        assert arrived == list(files)

    def test_what_is_billed_is_counted(self, driver: MailerDriver, soon: Soon, context: Context) -> None:
        """The month's bill is read from it, and a budget is kept by it."""
        driver.send(MAIL, idempotency_key="one", deadline=soon())

        check_units(context)

    def test_no_mail_is_sent_after_the_deadline(
        self, driver: MailerDriver, clock: Advancing, letterbox: Letterbox
    ) -> None:
        """`TIMEOUT`."""
        with refused(ErrorCode.TIMEOUT, operation="mailer.send"):
            driver.send(MAIL, idempotency_key="one", deadline=Deadline.after(ZERO, clock))

        assert not letterbox()

    def test_a_missing_service_is_not_reached(self, missing: MailerDriver, soon: Soon) -> None:
        """`NOT_FOUND`, and so surely not sent."""
        with refused(ErrorCode.NOT_FOUND, operation="mailer.send"):
            missing.send(MAIL, idempotency_key="one", deadline=soon())


class MailerTroubleContract(TroubleContract):
    """What a mailer does while its service is in trouble. Part of `MailerContract`."""

    about = "a service in trouble"
    kind = Kind.MAILER

    @pytest.mark.parametrize("trouble", Trouble)
    def test_a_service_in_trouble_is_an_error_in_time(
        self, open_in_trouble: OpenInTrouble, context: Context, trouble: Trouble
    ) -> None:
        """By the deadline; core knows from the code whether the mail may have been sent."""
        calls: Calls = {
            "mailer.send": lambda mailer, deadline: mailer.send(
                MAIL, idempotency_key="one", deadline=deadline
            )
        }

        self.try_in_trouble(open_in_trouble, context, trouble, calls)


class MailerContract(MailContract, MailerTroubleContract):
    """What every mailer does."""
