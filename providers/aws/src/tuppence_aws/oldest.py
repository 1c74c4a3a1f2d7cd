"""How old the oldest message of a queue is: SQS itself does not say, CloudWatch does, a few minutes later.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tuppence.clock import Deadline
from tuppence.errors import DriverError
from tuppence_aws.errors import translate
from tuppence_aws.session import AwsOptions, Session

METRIC: Final = "ApproximateAgeOfOldestMessage"
BACK: Final = timedelta(minutes=15)
"""How far back is looked."""
PERIOD_S: Final = 300
TIME_S: Final = 4.0
"""Seconds that CloudWatch is waited for at most: its answer is worth having, and no more."""
_OPERATION: Final = "queue.depth"


def age_of_oldest(options: AwsOptions, queue: str, now: datetime, deadline: Deadline) -> timedelta | None:
    """Return the age, or `None` where CloudWatch does not say or may not be asked.

    It needs `cloudwatch:GetMetricStatistics`, of which a million requests a month are free. Without it one
    still knows how many messages there are, and when the drain last ran.
    """
    session = Session("cloudwatch", options)
    try:
        client = session.client(_OPERATION, deadline.within(TIME_S))
        with translate(_OPERATION):
            answer = client.get_metric_statistics(
                Namespace="AWS/SQS",
                MetricName=METRIC,
                Dimensions=[{"Name": "QueueName", "Value": queue}],
                StartTime=now - BACK,
                EndTime=now,
                Period=PERIOD_S,
                Statistics=["Maximum"],
            )
    except DriverError:
        return None
    finally:
        session.close()
    newest = max(answer.get("Datapoints", ()), key=lambda one: one["Timestamp"], default=None)
    return None if newest is None else timedelta(seconds=newest["Maximum"])
