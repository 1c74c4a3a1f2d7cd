"""A proxy before the emulator of Pub/Sub that counts what waits, as Cloud Monitoring does for the service.

The emulator has no metrics. What is not acknowledged is known from what passes here: what was published, what
was delivered, and what was acknowledged. A subscription has the name of its topic, as deployment makes it.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from aws.faulty import Answer, Faulty
from gcp.answers import error_of

ACTION = re.compile(r"/v1/projects/[^/]+/(?:topics|subscriptions)/([^/:]+):(\w+)")
JSON = {"Content-Type": "application/json"}


class Monitored(Faulty):
    """The proxy. What it knows of a subscription are its messages, and when each was first seen."""

    def __init__(self, upstream, **plan):
        super().__init__(upstream, **plan)
        self._server.socket.listen(64)  # of racers that come at once, five would be let in
        self._waiting = {}
        self._receipts = {}

    def answer(self, request):
        if request.path.startswith("/v3/"):
            return self._told(request)
        answer = super().answer(request)
        if (found := ACTION.match(request.path)) and answer is not None and answer.status == 200:
            with self._lock:
                self._note(*found.groups(), json.loads(request.body), json.loads(answer.body))
        return answer

    def _forward(self, request):
        """Pass a request on, and end one that waits when it says: the emulator would heed no such header.

        It would also hand what comes later to whoever has asked and gone. So it is only asked what is there.
        """
        told = {name.lower(): value for name, value in request.headers.items()}
        if "x-server-timeout" not in told:
            return super()._forward(request)
        end = time.monotonic() + float(told["x-server-timeout"])
        body = json.dumps({**json.loads(request.body), "returnImmediately": True}).encode()
        while time.monotonic() < end:
            answer = super()._forward(replace(request, body=body))
            if answer.status != 200 or json.loads(answer.body):
                return answer
            time.sleep(0.05)
        return error_of(504, "DEADLINE_EXCEEDED")

    def _note(self, name, action, asked, told):
        waiting = self._waiting.setdefault(name, {})
        if action == "publish":
            waiting.update((number, time.monotonic()) for number in told["messageIds"])
        elif action == "pull":
            for one in told.get("receivedMessages", ()):
                number = one["message"]["messageId"]
                waiting.setdefault(number, time.monotonic())
                self._receipts[one["ackId"]] = number
        elif action == "acknowledge":
            for receipt in asked["ackIds"]:
                waiting.pop(self._receipts.get(receipt), None)

    def _told(self, request):
        """Answer as `projects.timeSeries.list` does: no series where nothing was written down."""
        (asked,) = parse_qs(urlsplit(request.path).query)["filter"]
        metric, name = re.findall(r'"([^"]+)"', asked)
        with self._lock:
            seen = list(self._waiting.get(name, {}).values())
        oldest = int(time.monotonic() - min(seen)) if seen else 0
        value = oldest if metric.endswith("/oldest_unacked_message_age") else len(seen)
        series = {"metric": {"type": metric}, "points": [{"value": {"int64Value": f"{value}"}}]}
        return Answer(200, JSON, json.dumps({"timeSeries": [series] if seen else []}).encode())
