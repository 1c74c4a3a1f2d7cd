from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from contract.ordering import KeepsLanes
from gcp.queues import queues_at
from tuppence.testing import QueueContract, TroubledService, WaitingClock
from tuppence.testing.attempts import AttemptsContract
from tuppence_gcp.queue import PubSubQueue

pytestmark = pytest.mark.slow  # leases run out in real time


class PubSubContract:
    """A topic and a subscription of their own for each test. Backlogs are counted by a stand-in of ours."""

    __test__ = False
    counterpart = "Google's Pub/Sub emulator 0.8.20"
    lease = timedelta(seconds=2)
    keeps_order = False

    @pytest.fixture
    def clock(self):
        return WaitingClock()

    @pytest.fixture
    def open_driver(self, monitored_url, pubsub_url, project):
        with ExitStack() as made:

            @cache
            def named(name):
                made.enter_context(queues_at(pubsub_url, name, ordered=self.keeps_order))
                return name

            def open_driver(context, *, missing=False):
                of_test = f"{project}-nowhere" if missing else named(names[context.project])
                options = PubSubQueue.Options(endpoint=monitored_url, ordered=self.keeps_order)
                return PubSubQueue(options, replace(context, project=of_test))

            names = {"contract": project, "other": f"{project}-other"}
            named(project)
            yield open_driver

    @pytest.fixture
    def open_in_trouble(self):
        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble) as (host, port):
                options = PubSubQueue.Options(endpoint=f"http://{host}:{port}", ordered=self.keeps_order)
                yield PubSubQueue(options, context)

        return open_in_trouble


class TestPubSubQueueOnGooglesEmulator(PubSubContract, QueueContract):
    __test__ = True


class TestOrderedPubSubQueueOnGooglesEmulator(PubSubContract, KeepsLanes, AttemptsContract):
    __test__ = True
    keeps_order = True

    @pytest.mark.xfail(reason="the emulator sets nothing aside from a subscription that keeps order")
    def test_what_comes_too_often_is_set_aside_or_comes_again(self, driver, soon):
        super().test_what_comes_too_often_is_set_aside_or_comes_again(driver, soon)

    @pytest.mark.xfail(reason="the emulator lets what follows go before what was given back")
    def test_what_is_given_back_comes_again_in_order(self, driver, soon):
        super().test_what_is_given_back_comes_again_in_order(driver, soon)
