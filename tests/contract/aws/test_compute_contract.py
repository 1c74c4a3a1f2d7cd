import pytest

from aws.calling import QUEUE, call, deliver, record
from aws.functions import functions_at, role_at
from tuppence.clock import SystemClock
from tuppence.drivers import Context
from tuppence.meter import UnitMeter
from tuppence.testing import ComputeContract
from tuppence_aws.compute import FUNCTIONS, LambdaCompute


class Lambda:
    """Lambda, as far as the driver's functions can tell."""

    def __init__(self, driver, queue):
        self.driver = driver
        self._queue = queue

    def deliver(self, consumer, messages):
        records = [record(message, number, queue=self._queue) for number, message in enumerate(messages)]
        return deliver(consumer, records)

    def fire(self, runner, run):
        event = {"job": run.job, "run_id": run.run_id, "payload": dict(run.payload)}
        try:
            call(runner, event)
        except ValueError:
            return False
        return True


@pytest.fixture(scope="module")
def deployed(ministack_url):
    """Return a project whose functions are there; the tests only look at them."""
    names = [f"tuppence-computed-{part}" for part in dict.fromkeys(FUNCTIONS.values())]
    with role_at(ministack_url, "computed", []) as role, functions_at(ministack_url, *names, role=role):
        yield "computed"


class Called:
    __test__ = False
    queue = QUEUE

    @pytest.fixture
    def platform(self, deployed, ministack_url):
        context = Context(project=deployed, meter=UnitMeter(), clock=SystemClock())
        driver = LambdaCompute(LambdaCompute.Options(endpoint=ministack_url), context)
        return Lambda(driver, self.queue)


class TestLambdaComputeOfAFifoQueue(Called, ComputeContract):
    __test__ = True
    queue = f"{QUEUE}.fifo"
    counterpart = "events and answers as Lambda's; functions on ministack 1.5.33"


class TestLambdaComputeOfAStandardQueue(Called, ComputeContract):
    __test__ = True
    counterpart = "events and answers as Lambda's; functions on ministack 1.5.33"
