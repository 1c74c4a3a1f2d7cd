import time
from dataclasses import replace
from datetime import timedelta

import pytest

from gcp.queues import queues_at
from tuppence.clock import SystemClock
from tuppence.testing import QueueContract
from tuppence.testing.lanes import LanesContract
from tuppence_gcp.queue import PubSubQueue

pytestmark = pytest.mark.slow  # leases run out in real time


class WaitingClock(SystemClock):
    """The service's time is real, so to move it is to wait."""

    def advance(self, span):
        """Wait."""
        time.sleep(max(0.0, span.total_seconds()))


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
        def open_driver(context, *, missing=False):
            named = replace(context, project=f"{project}-nowhere" if missing else project)
            return PubSubQueue(PubSubQueue.Options(endpoint=monitored_url, ordered=self.keeps_order), named)

        with queues_at(pubsub_url, project, ordered=self.keeps_order):
            yield open_driver


class TestPubSubQueueOnGooglesEmulator(PubSubContract, QueueContract):
    __test__ = True


class TestOrderedPubSubQueueOnGooglesEmulator(PubSubContract, LanesContract):
    __test__ = True
    keeps_order = True

    @pytest.mark.xfail(reason="the emulator sets nothing aside from a subscription that keeps order")
    def test_what_comes_too_often_is_set_aside_or_comes_again(self, driver, soon):
        super().test_what_comes_too_often_is_set_aside_or_comes_again(driver, soon)

    @pytest.mark.xfail(reason="the emulator lets what follows go before what was given back")
    def test_what_is_given_back_comes_again_in_order(self, driver, ordered, soon):
        super().test_what_is_given_back_comes_again_in_order(ordered, soon)
