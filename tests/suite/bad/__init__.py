"""The catalogue of bad drivers: each is wrong in one way that a real driver could be."""

from __future__ import annotations

from typing import Final

from suite.bad import (  # noqa: F401 - each enters what it defines
    computes,
    mailers,
    of_every_kind,
    queue_attempts,
    queue_calls,
    queue_leases,
    queue_messages,
    queue_waiting,
    schedulers,
    store_calls,
    store_conditions,
    store_expiry,
    store_queries,
    store_records,
)
from suite.bad.drivers import CATALOGUE as CATALOGUE

NOT_TOLD_APART: Final = {
    "Says that a message or a record is kept before it is on disk.": (
        "it is lost when the machine loses power, and a test cannot take that away from a service"
    ),
    "Refuses to acknowledge what ran out, although nobody else has it.": (
        "SQS, Service Bus and Pub/Sub refuse it too; it comes again, and is counted once"
    ),
    "Returns all that it was asked for in one page, whatever that weighs.": (
        "services end their pages anywhere from 1 to 20 MB, and the tests write less"
    ),
    "Loses one message in a million.": "the tests send some thousands",
    "Counts one request where its service bills two.": "the bill alone knows",
    "Asks for more permissions than it needs.": (
        "emulators allow everything; each provider's own tests run against policies made from them"
    ),
    "Never deletes what has expired, and claims `native_ttl`.": (
        "no read returns it, as is promised; the space is the service's, days later"
    ),
    "Delivers a message twice, long after it was acknowledged.": (
        "at least once is all a queue promises, and the drain counts nothing twice"
    ),
    "Sends a mail twice for one key, and claims nothing.": (
        "most services know no key; core sends nothing again that may have been sent"
    ),
    "Delivers the messages of a lane in another order.": "no order is promised, and core needs none",
    "Puts a second of its own on top of each call.": "the tests know no service's speed",
}
"""What no contract test can find, each with the reason."""


def name_of(driver_class):
    """Return what tells an entry from all others: its module's and its own name."""
    return f"{driver_class.__module__.rpartition('.')[2]}.{driver_class.__qualname__}"
