"""Topics and subscriptions for tests, made by Google's own client: as deployment makes them."""

from __future__ import annotations

from contextlib import contextmanager

from google.auth.credentials import AnonymousCredentials
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherRestTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberRestTransport

PROJECT = "proj"
OFTEN = 6
"""How often a message is delivered before it is set aside; the contract counts up to four attempts."""


@contextmanager
def clients_at(url):
    """Lend Google's clients, over HTTP: processes that fork hold no channel of gRPC."""
    told = {"host": url, "credentials": AnonymousCredentials(), "url_scheme": "http"}
    with (
        PublisherClient(transport=PublisherRestTransport(**told)) as publisher,
        SubscriberClient(transport=SubscriberRestTransport(**told)) as subscriber,
    ):
        yield publisher, subscriber


@contextmanager
def queues_at(url, project, *, ordered=False, exactly_once=False, ack_deadline=10):
    """Make a queue and the one for what comes too often, and take them away again."""
    names = [f"tuppence-{project}-dead", f"tuppence-{project}"]
    topics = [f"projects/{PROJECT}/topics/{name}" for name in names]
    subscriptions = [f"projects/{PROJECT}/subscriptions/{name}" for name in names]
    aside = {"dead_letter_policy": {"dead_letter_topic": topics[0], "max_delivery_attempts": OFTEN}}
    with clients_at(url) as (publisher, subscriber):
        for topic, subscription, more in zip(topics, subscriptions, ({}, aside), strict=True):
            publisher.create_topic(request={"name": topic}, retry=None)
            made = {
                "name": subscription,
                "topic": topic,
                "ack_deadline_seconds": ack_deadline,
                "enable_message_ordering": ordered,
                "enable_exactly_once_delivery": exactly_once,
                **more,
            }
            subscriber.create_subscription(request=made, retry=None)
        yield publisher, subscriber
        for topic, subscription in zip(topics, subscriptions, strict=True):
            subscriber.delete_subscription(request={"subscription": subscription}, retry=None)
            publisher.delete_topic(request={"topic": topic}, retry=None)
