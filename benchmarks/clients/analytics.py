"""Clients of services that count what users do."""

from __future__ import annotations

from typing import Any


class Posthog:
    """https://posthog.com/docs/libraries/python."""

    def __init__(self, url: str) -> None:
        from posthog import Posthog

        self._client = Posthog("phc_bench", host=url)

    def capture(self, *, user: str, **event: Any) -> object:
        return self._client.capture("question", distinct_id=user, properties=event)

    def close(self) -> None:
        self._client.shutdown()


class Segment:
    """https://segment.com/docs/connections/sources/catalog/libraries/server/python/."""

    def __init__(self, url: str) -> None:
        from segment.analytics import Client

        self._client = Client("bench", host=url)

    def capture(self, *, user: str, **event: Any) -> object:
        return self._client.track(user, "question", event)

    def close(self) -> None:
        self._client.shutdown()


class Mixpanel:
    """https://docs.mixpanel.com/docs/tracking-methods/sdks/python."""

    def __init__(self, url: str) -> None:
        from mixpanel import BufferedConsumer, Mixpanel

        self._consumer = BufferedConsumer(events_url=f"{url}/track")
        self._client = Mixpanel("bench", consumer=self._consumer)

    def capture(self, *, user: str, **event: Any) -> object:
        return self._client.track(user, "question", event)

    def close(self) -> None:
        self._consumer.flush()


class Amplitude:
    """https://amplitude.com/docs/sdks/analytics/python."""

    def __init__(self, url: str) -> None:
        from amplitude import Amplitude, BaseEvent

        self._event = BaseEvent
        self._client = Amplitude("bench")
        self._client.configuration.server_url = f"{url}/2/httpapi"

    def capture(self, *, user: str, **event: Any) -> object:
        return self._client.track(self._event(event_type="question", user_id=user, event_properties=event))

    def close(self) -> None:
        self._client.shutdown()


class Snowplow:
    """https://docs.snowplow.io/docs/sources/python-tracker/."""

    def __init__(self, url: str) -> None:
        from snowplow_tracker import SelfDescribing, SelfDescribingJson, Snowplow, Subject

        self._event, self._json, self._subject = SelfDescribing, SelfDescribingJson, Subject
        self._tracker = Snowplow.create_tracker(namespace="bench", endpoint=url)

    def capture(self, *, user: str, **event: Any) -> object:
        described = self._json("iglu:com.example/question/jsonschema/1-0-0", event)
        subject = self._subject().set_user_id(user)
        return self._tracker.track(self._event(described, event_subject=subject))

    def close(self) -> None:
        self._tracker.flush()
