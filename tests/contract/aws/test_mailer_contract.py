import json
import urllib.request
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from aws.faulty import Answer, Faulty
from aws.functions import client_at
from tuppence.testing import MailerContract, TroubledService
from tuppence_aws.mailer import SesMailer

NOT_KEPT = "ministack keeps only addresses, subject, text and HTML of a mail"
NO_ACCOUNT = "moto has no GetAccount"


def unless_in_a_set(request, forward):
    """Send a mail, but not one that names a configuration set: there are none.

    The error is SES's, in the form of its protocol:
    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
    https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
    """
    sending = request.method == "POST" and request.path == "/v2/email/outbound-emails"
    named = json.loads(request.body).get("ConfigurationSetName") if sending else None
    if named is None:
        return forward(request)
    words = json.dumps({"message": f"Configuration set <{named}> does not exist."})
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "NotFoundException"}
    return Answer(404, headers, words.encode())


class Mailed:
    """Mail between two domains of the account's own. What was mailed before a test is not looked at.

    SES refuses a mail that names a configuration set which is not there. Neither emulator does, so a proxy
    before them answers in its stead.
    """

    __test__ = False

    @pytest.fixture
    def url(self, emulator):
        with Faulty(emulator, (unless_in_a_set,), rate=1.0).running() as proxy:
            yield proxy.url

    @pytest.fixture
    def open_driver(self, url, emulator):
        with client_at(emulator, "sesv2") as ses:
            known = {one["IdentityName"] for one in ses.list_email_identities()["EmailIdentities"]}
            for identity in {"example.com", "example.org"} - known:
                ses.create_email_identity(EmailIdentity=identity)

        def open_driver(context, *, missing=False):
            options = {"configuration_set": "nowhere"} if missing else {}
            return SesMailer(SesMailer.Options(endpoint=url, **options), context)

        return open_driver

    @pytest.fixture
    def open_in_trouble(self):
        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble) as (host, port):
                yield SesMailer(SesMailer.Options(endpoint=f"http://{host}:{port}"), context)

        return open_in_trouble

    @pytest.fixture
    def letterbox(self, arrived):
        before = len(arrived())
        return lambda: arrived()[before:]


class TestSesMailerOnMoto(Mailed, MailerContract):
    __test__ = True
    counterpart = "moto 5.2, which keeps mails as they were sent; a proxy knows of configuration sets"

    @pytest.fixture
    def emulator(self, moto_url):
        return moto_url

    @pytest.fixture
    def arrived(self, moto_url):
        def arrived():
            kept = ask(f"{moto_url}/moto-api/data.json").get("ses", {}).get("RawMessage", [])
            return [message_from_bytes(one["raw_data"].encode(), policy=policy.default) for one in kept]

        return arrived

    @pytest.mark.xfail(reason=NO_ACCOUNT)
    def test_check_succeeds_on_a_resource_that_is_there(self, driver):
        MailerContract.test_check_succeeds_on_a_resource_that_is_there(self, driver)

    @pytest.mark.xfail(reason=NO_ACCOUNT)
    def test_check_names_a_resource_that_is_missing(self, missing):
        MailerContract.test_check_names_a_resource_that_is_missing(self, missing)

    @pytest.mark.xfail(reason=NO_ACCOUNT)
    def test_a_driver_works_in_another_thread_than_it_was_built_in(self, driver):
        MailerContract.test_a_driver_works_in_another_thread_than_it_was_built_in(self, driver)

    @pytest.mark.xfail(reason=NO_ACCOUNT)
    def test_close_may_be_called_twice(self, driver):
        MailerContract.test_close_may_be_called_twice(self, driver)

    @pytest.mark.xfail(reason=NO_ACCOUNT)
    def test_a_forked_child_rebuilds_its_driver(self, driver, open_driver, context):
        MailerContract.test_a_forked_child_rebuilds_its_driver(self, driver, open_driver, context)


class TestSesMailerOnMinistack(Mailed, MailerContract):
    __test__ = True
    counterpart = "ministack 1.5.33; a proxy knows of configuration sets"

    @pytest.fixture
    def emulator(self, ministack_url):
        return ministack_url

    @pytest.fixture
    def arrived(self, ministack_url):
        def arrived():
            accounts = ask(f"{ministack_url}/_ministack/ses/messages")["messages"].values()
            return [parsed(one) for kept in accounts for one in kept]

        return arrived

    @pytest.mark.xfail(reason=NOT_KEPT)
    def test_a_mail_arrives_as_it_was_sent(self, driver, soon, letterbox):
        MailerContract.test_a_mail_arrives_as_it_was_sent(self, driver, soon, letterbox)

    @pytest.mark.xfail(reason=NOT_KEPT)
    def test_a_mail_has_one_date_and_it_is_now(self, driver, soon, clock, letterbox):
        MailerContract.test_a_mail_has_one_date_and_it_is_now(self, driver, soon, clock, letterbox)

    @pytest.mark.xfail(reason=NOT_KEPT)
    def test_attachments_arrive_whole_and_in_order(self, driver, soon, letterbox):
        MailerContract.test_attachments_arrive_whole_and_in_order(self, driver, soon, letterbox)


def ask(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def parsed(kept):
    mail = EmailMessage()
    for header, value in (("From", kept["Source"]), ("To", kept["To"][0]), ("Subject", kept["Subject"])):
        mail[header] = value
    mail.set_content(kept["BodyText"])
    mail.add_alternative(kept["BodyHtml"] or "", subtype="html")
    return mail
