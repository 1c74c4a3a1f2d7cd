"""The clients that are compared, each made as its documentation shows; only its address is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Protocol

OURS = "tuppence"
EAGER = "tuppence at 1 s"
"""Not as it comes: for faults alone, which its defaults would hardly meet."""
FLOORS = ("no-op", "deque")
"""What does nothing, and what keeps events in memory and nothing else: no client can cost less."""


class Client(Protocol):
    """A client in use. `capture` records what `events.event` makes, as this client's users would."""

    @property
    def capture(self) -> Callable[..., object]: ...

    def close(self) -> None:
        """End as the documentation asks an application to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A client that can be measured.

    Attributes:
        name: as tables call it.
        make: `module:Class`; the class is called with the collector's address.
        speaks: `http` or `grpc`; nothing where it sends nothing.
        distribution: whose version is printed.
        made: how it is made.
        mode: what that gives: the defaults.
        ends: how an application is asked to end it.

    """

    name: str
    make: str
    speaks: str = "http"
    distribution: str
    made: str
    mode: str
    ends: str

    def load(self) -> Callable[[str], Client]:
        """Import the adapter's class; the peer itself is imported when that is called."""
        module, _, name = self.make.partition(":")
        made: Callable[[str], Client] = getattr(import_module(module), name)
        return made

    @property
    def version(self) -> str:
        """The version installed."""
        return version(self.distribution) if self.distribution else ""


KNOWN = (
    Known(
        name="no-op",
        make="clients.floor:Nothing",
        speaks="",
        distribution="",
        made="a function of the same keywords",
        mode="does nothing",
        ends="-",
    ),
    Known(
        name="deque",
        make="clients.floor:Deque",
        speaks="",
        distribution="",
        made="`deque()`",
        mode="appends a dict; sends nothing",
        ends="-",
    ),
    Known(
        name=OURS,
        make="clients.ours:Tuppence",
        distribution="tuppence",
        made="`Client(queue={endpoint})`, provider `aws`",
        mode="journal on disk; a batch when full or after 2 min",
        ends="`close()`, 1 s",
    ),
    Known(
        name=EAGER,
        make="clients.ours:Eager",
        distribution="tuppence",
        made='the same, `capture={"flush_interval": "1s"}`',
        mode="a batch every second, so that it meets each fault",
        ends="`close()`, 1 s",
    ),
    Known(
        name="posthog",
        make="clients.analytics:Posthog",
        distribution="posthog",
        made="`Posthog(key, host)`",
        mode="thread; 100 events or 5 s; queue of 10,000; 3 retries",
        ends="`shutdown()`",
    ),
    Known(
        name="segment",
        make="clients.analytics:Segment",
        distribution="segment-analytics-python",
        made="`Client(key, host)`",
        mode="thread; 100 events or 0.5 s; queue of 10,000",
        ends="`shutdown()`",
    ),
    Known(
        name="mixpanel",
        make="clients.analytics:Mixpanel",
        distribution="mixpanel",
        made="`Mixpanel(token, BufferedConsumer(events_url))`",
        mode="in the call, every 50 events; no timer; 4 retries",
        ends="`flush()`",
    ),
    Known(
        name="amplitude",
        make="clients.analytics:Amplitude",
        distribution="amplitude-analytics",
        made="`Amplitude(key)`, `server_url`",
        mode="thread; 200 events or 10 s; 12 retries",
        ends="`shutdown()`",
    ),
    Known(
        name="snowplow",
        make="clients.analytics:Snowplow",
        distribution="snowplow-tracker",
        made="`Snowplow.create_tracker(namespace, endpoint)`",
        mode="in the call, every 10 events; no timer",
        ends="`flush()`",
    ),
    Known(
        name="opentelemetry",
        make="clients.telemetry:OpenTelemetry",
        distribution="opentelemetry-sdk",
        made="`LoggingHandler`, `BatchLogRecordProcessor(OTLPLogExporter(endpoint))`, HTTP",
        mode="thread; 512 records or 1 s; queue of 2,048",
        ends="`shutdown()`",
    ),
    Known(
        name="pubsub",
        make="clients.queues:PubSub",
        speaks="grpc",
        distribution="google-cloud-pubsub",
        made="`PublisherClient()`, `PUBSUB_EMULATOR_HOST`",
        mode="threads; 100 messages or 10 ms; unbounded",
        ends="`stop()`, then every future",
    ),
    Known(
        name="boto3",
        make="clients.queues:Boto3",
        distribution="boto3",
        made='`client("sqs", endpoint_url)`',
        mode="`send_message` in the call; standard retries",
        ends="-",
    ),
    Known(
        name="boto3 in a pool",
        make="clients.queues:Boto3Pool",
        distribution="boto3",
        made="the same, through `ThreadPoolExecutor()`",
        mode="`send_message` in a thread; unbounded",
        ends="the pool's `shutdown()`",
    ),
)


def known(name: str) -> Known:
    """Return a client by its name."""
    return next(one for one in KNOWN if one.name == name)
