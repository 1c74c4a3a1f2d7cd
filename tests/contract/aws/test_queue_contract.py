from dataclasses import replace

import pytest

from aws.queues import queues_at
from tuppence.testing import QueueContract
from tuppence_aws.queue import SqsQueue


class SqsContract:
    """Queues of their own for each test."""

    __test__ = False
    fifo = True

    @pytest.fixture
    def clock(self, service_clock):
        return service_clock

    @pytest.fixture
    def open_driver(self, url, project):
        def open_driver(context, *, missing=False):
            named = replace(context, project=f"{project}-nowhere" if missing else project)
            return SqsQueue(SqsQueue.Options(endpoint=url, fifo=self.fifo), named)

        with queues_at(url, project, fifo=self.fifo):
            yield open_driver

    @pytest.fixture
    def misconfigured(self, missing, context, url):
        options = SqsQueue.Options(endpoint=url, fifo=self.fifo, profile="nobody")
        nobody = SqsQueue(options, context)
        yield {"no such queue": missing, "no such profile": nobody}
        nobody.close()


class TestSqsFifoQueueOnMinistack(SqsContract, QueueContract):
    __test__ = True
    counterpart = "ministack 1.5.33"

    @pytest.fixture
    def url(self, ministack_url):
        return ministack_url


class TestSqsFifoQueueOnMoto(SqsContract, QueueContract):
    __test__ = True
    counterpart = "moto 5.2"

    @pytest.fixture
    def url(self, moto_url):
        return moto_url

    @pytest.mark.xfail(reason="moto puts what ran out behind what waits")
    def test_what_ran_out_comes_again_in_order(self, driver, ordered, soon, clock):
        super().test_what_ran_out_comes_again_in_order(ordered, soon, clock)


class TestSqsStandardQueueOnMinistack(SqsContract, QueueContract):
    __test__ = True
    counterpart = "ministack 1.5.33"
    fifo = False

    @pytest.fixture
    def url(self, ministack_url):
        return ministack_url
