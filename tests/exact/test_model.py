"""The model is held to the contract that every provider is held to."""

import pytest

from exact.drivers import ModelOptions, ModelQueue, ModelStore
from exact.model import Memory
from tuppence.testing import QueueContract, StoreContract


@pytest.fixture
def memory():
    return Memory()


class TestModelQueue(QueueContract):
    @pytest.fixture
    def open_driver(self, memory):
        def open_driver(context, *, missing=False):
            return ModelQueue(ModelOptions(None if missing else memory), context)

        return open_driver


class TestModelStore(StoreContract):
    @pytest.fixture
    def open_driver(self, memory):
        def open_driver(context, *, missing=False):
            return ModelStore(ModelOptions(None if missing else memory), context)

        return open_driver
