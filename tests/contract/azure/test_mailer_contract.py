import pytest

from azure.mail.fakes import Communication, Workflow
from tuppence.settings import Secret
from tuppence.testing import MailerContract
from tuppence_azure.logic_apps import LogicAppsMailer
from tuppence_azure.mailer import AcsMailer


class TestAcsMailerOnOurFake(MailerContract):
    """A resource for each test. The name beside the sender is the one that its domain has been given."""

    counterpart = "a fake of our own, signatures checked"

    @pytest.fixture
    def resource(self):
        with Communication().running() as resource:
            yield resource

    @pytest.fixture
    def open_driver(self, resource, monkeypatch):
        monkeypatch.setenv("COMMUNICATION", resource.connection_string)
        options = {"connection_string": Secret(env="COMMUNICATION")}

        def open_driver(context, *, missing=False):
            place = {"endpoint": resource.url.replace("127.0.0.1", "localhost")} if missing else {}
            return AcsMailer(AcsMailer.Options(**options, **place), context)

        return open_driver

    @pytest.fixture
    def letterbox(self, resource):
        return lambda: resource.sent


class TestLogicAppsMailerOnOurFake(MailerContract):
    """A workflow for each test."""

    counterpart = "a fake of our own"

    @pytest.fixture
    def workflow(self):
        with Workflow().running() as workflow:
            yield workflow

    @pytest.fixture
    def open_driver(self, workflow, monkeypatch):
        monkeypatch.setenv("TRIGGER", workflow.trigger)
        monkeypatch.setenv("NOWHERE", workflow.trigger.replace("/w1/", "/w2/"))

        def open_driver(context, *, missing=False):
            trigger = Secret(env="NOWHERE" if missing else "TRIGGER")
            return LogicAppsMailer(LogicAppsMailer.Options(trigger=trigger), context)

        return open_driver

    @pytest.fixture
    def letterbox(self, workflow):
        return lambda: workflow.sent
