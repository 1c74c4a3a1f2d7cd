"""The model is held to the contract that every provider is held to."""

from collections import defaultdict

import pytest

from exact.drivers import ModelOptions, ModelQueue, ModelStore
from exact.model import Memory
from tuppence.testing import QueueContract, StoreContract


@pytest.fixture
def memory():
    return Memory()


ONE_PROCESS = pytest.mark.xfail(reason="the model lives in the memory of one process")


class TestModelQueue(QueueContract):
    @pytest.fixture
    def open_driver(self, memory):
        memories = defaultdict(Memory, contract=memory)

        def open_driver(context, *, missing=False):
            return ModelQueue(ModelOptions(None if missing else memories[context.project]), context)

        return open_driver

    @ONE_PROCESS
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_what_a_forked_child_sends_arrives(self, driver, soon, open_driver, context):
        QueueContract.test_what_a_forked_child_sends_arrives(self, driver, soon, open_driver, context)


class TestModelStore(StoreContract):
    @pytest.fixture
    def open_driver(self, memory):
        def open_driver(context, *, missing=False):
            return ModelStore(ModelOptions(None if missing else memory), context)

        return open_driver

    @ONE_PROCESS
    @pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
    def test_what_a_forked_child_writes_is_read(self, driver, soon, open_driver, context):
        StoreContract.test_what_a_forked_child_writes_is_read(self, driver, soon, open_driver, context)
