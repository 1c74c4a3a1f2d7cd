from contextlib import contextmanager

import pytest

from aws.faulty import Answer
from gcp.mail_services import Resend, SendGrid
from tuppence.settings import Secret
from tuppence.testing import SECRET, MailerContract, TroubledService
from tuppence_gcp.mailer import SendGridMailer
from tuppence_gcp.resend import ResendMailer


class Mailed:
    """A mailer of a service of its own; where that is missing, a server has nothing at its addresses."""

    __test__ = False

    @pytest.fixture
    def service(self):
        with self.service_class().running() as service:
            yield service

    @pytest.fixture
    def elsewhere(self):
        with self.service_class().running() as server:
            server.instead = Answer(404, {}, b"")
            yield server

    @pytest.fixture
    def open_driver(self, service, elsewhere, tmp_path):
        (tmp_path / "key").write_text(service.key)

        def open_driver(context, *, missing=False):
            options = self.driver_class.Options(
                api_key=Secret(file=str(tmp_path / "key")),
                sender="bot@example.com",
                endpoint=(elsewhere if missing else service).url,
            )
            return self.driver_class(options, context)

        return open_driver

    @pytest.fixture
    def open_in_trouble(self, tmp_path):
        (tmp_path / "secret").write_text(SECRET)

        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble) as (host, port):
                key = Secret(file=str(tmp_path / "secret"))
                endpoint = f"http://{host}:{port}"
                options = self.driver_class.Options(api_key=key, sender="bot@example.com", endpoint=endpoint)
                yield self.driver_class(options, context)

        return open_in_trouble

    @pytest.fixture
    def letterbox(self, service):
        return lambda: service.mails


class TestSendGridMailer(Mailed, MailerContract):
    __test__ = True
    counterpart = "a server of the tests that its official client checks"
    service_class, driver_class = SendGrid, SendGridMailer

    @pytest.mark.xfail(reason="SendGrid takes no attachment that is empty")
    def test_attachments_arrive_whole_and_in_order(self, driver, soon, letterbox):
        MailerContract.test_attachments_arrive_whole_and_in_order(self, driver, soon, letterbox)


class TestResendMailer(Mailed, MailerContract):
    __test__ = True
    counterpart = "a server of the tests that takes what the API's description says"
    service_class, driver_class = Resend, ResendMailer
