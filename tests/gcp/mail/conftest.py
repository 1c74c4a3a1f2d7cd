import pytest

from gcp.mail_services import Resend, SendGrid
from tuppence_gcp.mailer import SendGridMailer
from tuppence_gcp.resend import ResendMailer


@pytest.fixture
def sendgrid(monkeypatch):
    with SendGrid().running() as service:
        monkeypatch.setenv("SENDGRID_API_KEY", service.key)
        yield service


@pytest.fixture
def resend(monkeypatch):
    with Resend().running() as service:
        monkeypatch.setenv("RESEND_API_KEY", service.key)
        yield service


@pytest.fixture
def by_sendgrid(opened, sendgrid):
    return lambda **options: opened(SendGridMailer, sendgrid.url, **options)


@pytest.fixture
def by_resend(opened, resend):
    return lambda **options: opened(ResendMailer, resend.url, **options)
