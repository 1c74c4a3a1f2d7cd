"""How much waits in a subscription: Pub/Sub itself does not say, Cloud Monitoring does, minutes later.

https://cloud.google.com/pubsub/docs/monitoring, read November 2026.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Context
from tuppence_gcp.errors import incomplete
from tuppence_gcp.session import GcpOptions, Session

WAITING: Final = "num_undelivered_messages"
OLDEST: Final = "oldest_unacked_message_age"
BACK: Final = timedelta(minutes=10)
"""How far back is looked: a value is written down each minute, and may be read some minutes later."""


class _Value(msgspec.Struct, rename="camel"):
    int64_value: str = "0"  # as JSON has them


class _Point(msgspec.Struct):
    value: _Value


class _Series(msgspec.Struct):
    points: list[_Point] = []


class _Told(msgspec.Struct, rename="camel"):
    time_series: list[_Series] = []
    next_page_token: str = ""
    execution_errors: list[dict[str, Any]] = []


class Backlog:
    """What Cloud Monitoring knows of subscriptions."""

    def __init__(self, options: GcpOptions, context: Context) -> None:
        self._context = context
        self._session = Session(
            "https://monitoring.googleapis.com", "MONITORING_EMULATOR_HOST", options, context.clock
        )

    def of(self, subscription: str, operation: str, deadline: Deadline) -> tuple[int, timedelta | None]:
        """Return how many messages wait or are leased, and how old the oldest is."""
        waiting = self._newest(WAITING, subscription, operation, deadline)
        if not waiting:
            return 0, None
        age = self._newest(OLDEST, subscription, operation, deadline)
        return waiting, None if age is None else timedelta(seconds=age)

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()

    def _newest(self, metric: str, subscription: str, operation: str, deadline: Deadline) -> int | None:
        """Return the newest value of a metric, summed over what the service keeps apart, or `None`."""
        now = self._context.clock.now()
        asked = {
            "filter": (
                f'metric.type = "pubsub.googleapis.com/subscription/{metric}"'
                f' AND resource.labels.subscription_id = "{subscription}"'
            ),
            "interval.startTime": f"{now - BACK:%Y-%m-%dT%H:%M:%SZ}",
            "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        }
        project = self._session.project(operation, deadline)
        path = f"/v3/projects/{project}/timeSeries?{urlencode(asked)}"
        told = self._session.call(operation, "GET", path, None, _Told, deadline=deadline)
        self._context.meter.count("monitoring.reads")
        if told.execution_errors or told.next_page_token:  # there are never more series than fit on a page
            raise incomplete(operation)
        values = [int(series.points[0].value.int64_value) for series in told.time_series if series.points]
        return sum(values) if values else None
