"""Clients of cloud queues, as one would use them for events without a library for it."""

from __future__ import annotations

import json
import os
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any
from urllib.parse import urlsplit


class PubSub:
    """https://cloud.google.com/pubsub/docs/batch-messaging."""

    def __init__(self, url: str) -> None:
        os.environ["PUBSUB_EMULATOR_HOST"] = urlsplit(url).netloc
        from google.cloud.pubsub_v1 import PublisherClient

        self._client = PublisherClient()
        self._topic = self._client.topic_path("bench", "questions")
        self._futures: list[Future[str]] = []

    def capture(self, **event: Any) -> None:
        self._futures.append(self._client.publish(self._topic, json.dumps(event).encode()))

    def close(self) -> None:
        self._client.stop()
        wait(self._futures)


class Boto3:
    """https://boto3.amazonaws.com/v1/documentation/api/latest/guide/sqs.html."""

    def __init__(self, url: str) -> None:
        import boto3

        self._client = boto3.client("sqs", endpoint_url=url)
        self._queue = f"{url}/000000000000/bench"

    def capture(self, **event: Any) -> object:
        return self._client.send_message(QueueUrl=self._queue, MessageBody=json.dumps(event))

    def close(self) -> None:
        pass


class Boto3Pool(Boto3):
    """The same, handed to threads."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._pool = ThreadPoolExecutor()

    def capture(self, **event: Any) -> object:
        return self._pool.submit(super().capture, **event)

    def close(self) -> None:
        self._pool.shutdown()
