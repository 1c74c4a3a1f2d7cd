import stat
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from tuppence.drivers import Email
from tuppence.local.mailer import LocalMailer
from tuppence.testing import MailerContract

MAIL = Email(sender="bot@example.com", to="me@example.org", subject="Hello", text="Hello\n", html="")


class TestLocalMailerFiles(MailerContract):
    counterpart = "embedded, a folder of .eml files"

    @pytest.fixture
    def open_driver(self, tmp_path):
        def open_driver(context, *, missing=False, sender=""):
            folder = tmp_path / "nowhere" if missing else tmp_path
            return LocalMailer(LocalMailer.Options(directory=str(folder / "outbox"), sender=sender), context)

        return open_driver

    @pytest.fixture
    def letterbox(self, tmp_path):
        return lambda: [
            message_from_bytes(file.read_bytes(), policy=policy.default)
            for file in sorted((tmp_path / "outbox").glob("*"))
        ]

    def test_a_key_is_one_file_also_on_another_day(self, driver, soon, clock, letterbox):
        first = driver.send(MAIL, idempotency_key="2026-W46", deadline=soon())
        clock.sleep(86_400)
        second = driver.send(MAIL, idempotency_key="2026-W46", deadline=soon())

        assert first == second
        assert len(letterbox()) == 1

    def test_a_file_is_its_owners_alone_and_says_when_and_what(self, driver, soon, tmp_path):
        driver.send(MAIL, idempotency_key="2026-W46/../me", deadline=soon())

        (file,) = (tmp_path / "outbox").iterdir()
        assert file.name.startswith("2026-11-16.2026-W46-..-me.")
        assert file.suffix == ".eml"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_the_configured_sender_stands_in(self, open_driver, context, soon, letterbox):
        driver = open_driver(context, sender="Bot <bot@example.com>")

        driver.send(replace(MAIL, sender=""), idempotency_key="one", deadline=soon())

        assert letterbox()[0]["From"] == "Bot <bot@example.com>"

    def test_without_any_sender_a_mail_is_from_its_recipient(self, open_driver, context, soon, letterbox):
        open_driver(context).send(replace(MAIL, sender=""), idempotency_key="one", deadline=soon())

        assert letterbox()[0]["From"] == "me@example.org"
