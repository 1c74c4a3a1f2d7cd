"""The contract of a mailer. The provider opens the letterbox."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from email.message import EmailMessage

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import ZERO, Attachment, Email, Feature, MailerDriver
from tuppence.errors import ErrorCode
from tuppence.testing.contract import Advancing, DriverContract, refused

Soon = Callable[[], Deadline]
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


class MailerContract(DriverContract):
    """What every mailer does."""

    @pytest.fixture
    def letterbox(self) -> Letterbox:
        """Return the provider's own: gives what has arrived so far, parsed with `email.policy.default`."""
        raise NotImplementedError(f"{type(self).__name__} gives no fixture `letterbox`")

    def test_a_mail_arrives_as_it_was_sent(
        self, driver: MailerDriver, soon: Soon, letterbox: Letterbox
    ) -> None:
        """Addresses, subject, own headers, text, HTML and attachments, whatever their letters."""
        mail_id = driver.send(MAIL, idempotency_key="one", deadline=soon())

        (mail,) = letterbox()
        text, html = mail.get_body(("plain",)), mail.get_body(("html",))
        assert mail_id
        assert (mail["From"], mail["To"], mail["Subject"]) == (MAIL.sender, MAIL.to, MAIL.subject)
        assert mail["X-Tuppence-Week"] == "2026-W47"
        assert text is not None
        assert html is not None
        assert text.get_content().replace("\r\n", "\n") == MAIL.text
        assert html.get_content().replace("\r\n", "\n") == MAIL.html
        (attachment,) = mail.iter_attachments()
        assert attachment.get_filename() == "übersicht.csv"
        assert attachment.get_payload(decode=True) == MAIL.attachments[0].body

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

    def test_a_repeated_key_is_one_mail(self, driver: MailerDriver, soon: Soon, letterbox: Letterbox) -> None:
        """`IDEMPOTENT_MAIL`: the same key is sent once."""
        if Feature.IDEMPOTENT_MAIL not in driver.features:
            pytest.skip("does not claim to know a key again")
        first = driver.send(MAIL, idempotency_key="one", deadline=soon())
        second = driver.send(MAIL, idempotency_key="one", deadline=soon())

        assert first == second
        assert len(letterbox()) == 1

    def test_no_mail_is_sent_after_the_deadline(
        self, driver: MailerDriver, clock: Advancing, letterbox: Letterbox
    ) -> None:
        """`TIMEOUT`."""
        with refused(ErrorCode.TIMEOUT):
            driver.send(MAIL, idempotency_key="one", deadline=Deadline.after(ZERO, clock))

        assert not letterbox()

    def test_a_missing_service_is_not_reached(self, missing: MailerDriver, soon: Soon) -> None:
        """`NOT_FOUND`, and so surely not sent."""
        with refused(ErrorCode.NOT_FOUND):
            missing.send(MAIL, idempotency_key="one", deadline=soon())
