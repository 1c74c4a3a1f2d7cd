"""The queue keeps core's contract."""

from __future__ import annotations

import pytest
from tuppence.testing import QueueContract

from tuppence_redis.queue import RedisQueue

NO_SUCH_DATABASE = 99
"""Redis has 16 databases unless told otherwise: what is missing here is what the options name."""


class TestRedisQueue(QueueContract):
    counterpart = "redis-server"

    @pytest.fixture
    def open_driver(self, server):
        def open_driver(context, *, missing=False):
            return RedisQueue(server.options(database=NO_SUCH_DATABASE if missing else 0), context)

        return open_driver
