import socket
import ssl
from contextlib import contextmanager
from datetime import timedelta

import pytest
import trustme

from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Email
from tuppence.errors import ErrorCode
from tuppence.local.mailer import LocalMailer
from tuppence.settings import Secret
from tuppence.testing import MailerContract, TroubledService
from tuppence.testing.contract import refused

MAIL = Email(sender="bot@example.com", to="me@example.org", subject="Hello", text="Hello\n", html="")
GREETING = [b"220 hello", b"250 hello", b"250 sender", b"250 recipient"]


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@pytest.fixture(scope="module")
def certificate(authority):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


class TestLocalMailerSmtp(MailerContract):
    counterpart = "embedded, an SMTP server of the tests (aiosmtpd)"

    @pytest.fixture
    def clock(self):
        return SystemClock()

    @pytest.fixture
    def letterbox(self, letterbox):
        return letterbox

    @pytest.fixture
    def open_driver(self, serve, letterbox):
        with serve(letterbox) as port:

            def open_driver(context, *, missing=False):
                host = "nowhere.invalid" if missing else "127.0.0.1"
                return LocalMailer(LocalMailer.Options(host=host, port=port, security="none"), context)

            yield open_driver

    @pytest.fixture
    def open_in_trouble(self):
        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble, b"220 hello, and") as (host, port):
                yield LocalMailer(LocalMailer.Options(host=host, port=port, security="none"), context)

        return open_in_trouble


@pytest.fixture
def send(context):
    def send(port, *, span=20, **options):
        mailer = LocalMailer(LocalMailer.Options(host="127.0.0.1", port=port, **options), context)
        return mailer.send(MAIL, idempotency_key="one", deadline=Deadline.after(span))

    return send


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("MAIL_PASSWORD", "geheim")
    return Secret(env="MAIL_PASSWORD")


@pytest.mark.filterwarnings("ignore:Requiring AUTH:UserWarning")  # the server does not see its outer TLS
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_login_goes_over_tls(send, certificate, ca_file, password, security, serve, letterbox):
    tls = {"implicit_tls": certificate} if security == "tls" else {"starttls": certificate}

    with serve(letterbox, login=("me", "geheim"), **tls) as port:
        send(port, security=security, ca_file=ca_file, username="me", password=password)

    assert len(letterbox()) == 1


def test_a_wrong_password_is_unauthenticated(send, certificate, ca_file, password, serve, letterbox):
    with (
        serve(letterbox, starttls=certificate, login=("me", "another")) as port,
        refused(ErrorCode.UNAUTHENTICATED),
    ):
        send(port, ca_file=ca_file, username="me", password=password)

    assert not letterbox()


def test_a_server_that_wants_a_login_is_unauthenticated_without_one(
    send, certificate, ca_file, serve, letterbox
):
    with (
        serve(letterbox, starttls=certificate, login=("me", "x")) as port,
        refused(ErrorCode.UNAUTHENTICATED),
    ):
        send(port, ca_file=ca_file)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_of_a_stranger_is_refused(send, certificate, security, serve, letterbox):
    tls = {"implicit_tls": certificate} if security == "tls" else {"starttls": certificate}

    with serve(letterbox, **tls) as port, refused(ErrorCode.INVALID):
        send(port, security=security)

    assert not letterbox()


def test_a_certificate_of_another_host_is_refused(send, authority, ca_file, serve, letterbox):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("another.example").configure_cert(context)

    with serve(letterbox, starttls=context) as port, refused(ErrorCode.INVALID):
        send(port, ca_file=ca_file)

    assert not letterbox()


def test_a_server_without_starttls_is_not_spoken_to_in_the_clear(send, serve, letterbox):
    with serve(letterbox) as port, refused(ErrorCode.UNSUPPORTED):
        send(port, security="starttls")

    assert not letterbox()


def test_no_password_leaves_this_machine_unencrypted(context, password):
    options = LocalMailer.Options(host="mail.example", security="none", username="me", password=password)
    mailer = LocalMailer(options, context)

    with refused(ErrorCode.INVALID):
        mailer.send(MAIL, idempotency_key="one", deadline=Deadline.after(5))


def test_a_password_that_is_not_set_is_named_by_its_reference(send, certificate, ca_file, serve, letterbox):
    with serve(letterbox, starttls=certificate, login=("me", "x")) as port, refused(ErrorCode.INVALID):
        send(port, ca_file=ca_file, username="me", password=Secret(env="NOT_SET_ANYWHERE"))


def test_a_password_smtp_cannot_carry_is_refused(send, monkeypatch, certificate, ca_file, serve, letterbox):
    monkeypatch.setenv("MAIL_PASSWORD", "fünf £")

    with serve(letterbox, starttls=certificate) as port, refused(ErrorCode.INVALID) as caught:
        send(port, ca_file=ca_file, username="me", password=Secret(env="MAIL_PASSWORD"))

    assert "£" not in str(caught.value)


def test_a_missing_ca_file_is_named(send):
    with refused(ErrorCode.INVALID):
        send(9, ca_file="/nowhere/ca.pem")


@pytest.mark.parametrize(
    ("step", "reply", "code"),
    [
        ("MAIL", "421 4.3.2 closing", ErrorCode.UNAVAILABLE),
        ("MAIL", "452 4.3.1 too much", ErrorCode.THROTTLED),
        ("RCPT", "450 4.2.1 slow down", ErrorCode.THROTTLED),
        ("RCPT", "550 5.1.1 no such user", ErrorCode.INVALID),
        ("RCPT", "550 5.7.1 relaying denied", ErrorCode.FORBIDDEN),
        ("DATA", "451 4.3.0 later", ErrorCode.UNAVAILABLE),
        ("DATA", "552 5.3.4 too big", ErrorCode.TOO_LARGE),
        ("DATA", "554 5.6.0 no", ErrorCode.INVALID),
    ],
)
def test_a_refusal_has_a_code_and_repeats_no_address(send, step, reply, code, serve, letterbox):
    letterbox.replies[step] = reply

    with serve(letterbox) as port, refused(code) as caught:
        send(port, security="none")

    assert "example.org" not in str(caught.value)


def test_a_connection_lost_after_the_text_leaves_open_whether_it_was_sent(send, serve_lines):
    with serve_lines([*GREETING, b"354 go on", None]) as port, refused(ErrorCode.UNKNOWN):
        send(port, security="none")


def test_silence_after_the_text_leaves_open_whether_it_was_sent(send, serve_lines):
    with (
        serve_lines([*GREETING, b"354 go on", None], then_hang=True) as port,
        refused(ErrorCode.UNKNOWN) as caught,
    ):
        send(port, security="none", timeout=timedelta(seconds=5))

    assert "may have been sent" in str(caught.value)


def test_a_connection_lost_before_the_text_surely_sent_nothing(send, serve_lines):
    with serve_lines(GREETING[:2]) as port, refused(ErrorCode.UNAVAILABLE):
        send(port, security="none")


def test_a_server_that_never_answers_is_left_at_the_deadline(send, serve_lines):
    with serve_lines([None], then_hang=True) as port, refused(ErrorCode.TIMEOUT):
        send(port, security="none", span=0.3)


def test_a_port_nobody_listens_on_is_unavailable(send):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with refused(ErrorCode.UNAVAILABLE):
        send(port, security="none")
