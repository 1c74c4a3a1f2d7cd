"""Contract tests that any driver can be held to.

A provider subclasses the contract of each kind it has and gives one fixture:

    class TestAcmeQueue(QueueContract):
        @pytest.fixture
        def open_driver(self, tmp_path):
            return lambda context, missing=False: AcmeQueue(options_of(tmp_path, missing), context)

A test of a contract can be replaced only by one marked `pytest.mark.xfail(reason=…)`, for a named gap.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{name}"
        for name in (
            *(
                "attempts",
                "compute",
                "conditions",
                "contract",
                "cron",
                "driver",
                "expiry",
                "leases",
                "mailer",
            ),
            *("messages", "outside", "pages", "polling", "queue", "records", "scheduler", "store"),
            *("trouble", "waiting"),
        )
    )
)

from tuppence.testing.clock import ManualClock, WaitingClock  # noqa: E402 - asserts are rewritten in what is imported after
from tuppence.testing.compute import ComputeContract, Platform  # noqa: E402 - as above
from tuppence.testing.contract import Contract  # noqa: E402 - as above
from tuppence.testing.mailer import MailerContract  # noqa: E402 - as above
from tuppence.testing.queue import QueueContract  # noqa: E402 - as above
from tuppence.testing.scheduler import SchedulerContract  # noqa: E402 - as above
from tuppence.testing.store import StoreContract  # noqa: E402 - as above
from tuppence.testing.trouble import SECRET, Trouble, TroubledService  # noqa: E402 - as above

__all__ = [
    "SECRET",
    "ComputeContract",
    "Contract",
    "MailerContract",
    "ManualClock",
    "Platform",
    "QueueContract",
    "SchedulerContract",
    "StoreContract",
    "Trouble",
    "TroubledService",
    "WaitingClock",
]
