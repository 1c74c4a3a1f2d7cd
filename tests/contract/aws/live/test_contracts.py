"""The contracts on a real account, and what of mail can be known without reading anyone's."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aws.functions import functions_at
from aws.queues import queues_at
from aws.tables import client_at, empty
from contract.aws.live.conftest import HERE, WaitingClock, once_known
from contract.aws.test_compute_contract import Lambda
from contract.aws.test_queue_contract import SqsContract
from contract.aws.test_scheduler_contract import Grouped
from tuppence.clock import SystemClock
from tuppence.drivers import Context, Email, Kind
from tuppence.meter import UnitMeter
from tuppence.testing import ComputeContract, ManualClock, QueueContract, SchedulerContract, StoreContract
from tuppence.testing.driver import ResourceContract
from tuppence.testing.records import DAY
from tuppence_aws.compute import FUNCTIONS, LambdaCompute
from tuppence_aws.mailer import SesMailer
from tuppence_aws.queue import SqsQueue
from tuppence_aws.store import DynamoStore

QUEUE = "arn:aws:sqs:eu-west-2:000000000000:tuppence-live"
SETTLES = timedelta(seconds=1)
"""How long after it was made a queue may be unknown, by SQS's API reference."""


class LiveQueue(SqsContract):
    __test__ = False
    counterpart = "live"
    lease = timedelta(seconds=2)

    @pytest.fixture
    def clock(self):
        return WaitingClock()

    @pytest.fixture
    def open_driver(self, project, clock):
        def open_driver(context, *, missing=False):
            named = replace(context, project=f"{project}-nowhere" if missing else project)
            return SqsQueue(SqsQueue.Options(fifo=self.fifo), named)

        with queues_at(HERE, project, fifo=self.fifo):
            clock.advance(SETTLES)
            yield open_driver


class TestSqsFifoQueueLive(LiveQueue, QueueContract):
    __test__ = True


class TestSqsStandardQueueLive(LiveQueue, QueueContract):
    __test__ = True
    fifo = False


class TestDynamoStoreLive(StoreContract):
    counterpart = "live"

    @pytest.fixture
    def clock(self):
        """Return a clock that is ahead, so that DynamoDB finds nothing that has expired."""
        return ManualClock(datetime.now(UTC) + DAY)

    @pytest.fixture
    def open_driver(self, table):
        def open_driver(context, *, missing=False):
            options = DynamoStore.Options(
                table=f"{table}-nowhere" if missing else table, read_units=0, write_units=0
            )
            return DynamoStore(options, context)

        yield open_driver
        with client_at(HERE) as client:
            empty(client, table)


class TestEventBridgeSchedulerLive(Grouped, SchedulerContract):
    __test__ = True
    counterpart = "live; expressions evaluated by AWS's documentation"

    @pytest.fixture
    def url(self):
        return HERE

    @pytest.fixture
    def project(self, project):
        return f"tuppence-{project}"

    @pytest.fixture
    def more(self, assumed):
        return {"role_arn": assumed}


@pytest.fixture(scope="module")
def deployed(run, assumed):
    """Return a project whose functions are there; the tests only look at them."""
    names = [f"tuppence-{run}-{part}" for part in dict.fromkeys(FUNCTIONS.values())]
    with ExitStack() as stack:
        once_known(lambda: stack.enter_context(functions_at(HERE, *names, role=assumed)))
        yield run


class TestLambdaComputeLive(ComputeContract):
    counterpart = "events and answers as Lambda's; functions live"

    @pytest.fixture
    def platform(self, deployed):
        context = Context(project=deployed, meter=UnitMeter(), clock=SystemClock())
        return Lambda(LambdaCompute(LambdaCompute.Options(), context), f"{QUEUE}.fifo")


class TestSesMailerLive(ResourceContract):
    """Only what holds for every driver: a mail that has arrived is in somebody's own letterbox."""

    kind = Kind.MAILER
    counterpart = "live; mails are sent and not read"

    @pytest.fixture
    def open_driver(self):
        def open_driver(context, *, missing=False):
            return SesMailer(SesMailer.Options(configuration_set="nowhere" if missing else ""), context)

        return open_driver

    def test_a_mail_is_accepted(self, driver, soon, address, run):
        mail = Email(
            sender=address,
            to=address,
            subject=f"tuppence, run {run}",
            text="It works.\n",
            html="<p>It works.",
        )

        assert driver.send(mail, idempotency_key=run, deadline=soon())
        assert driver.context.meter.take() == {"ses.messages": 1}
