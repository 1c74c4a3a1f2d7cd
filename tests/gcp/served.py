"""Functions served on 127.0.0.1 by functions-framework, as at Google's, and what calls them."""

from __future__ import annotations

import itertools
import json
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from functions_framework import create_app
from werkzeug.serving import make_server

FUNCTIONS = {}
"""What the sources below call, by number."""
ACKNOWLEDGED = {102, 200, 201, 202, 204}
"""Answers that tell Pub/Sub that a message is done (https://cloud.google.com/pubsub/docs/push)."""
EVENT = {
    "ce-id": "1",
    "ce-specversion": "1.0",
    "ce-type": "google.cloud.pubsub.topic.v1.messagePublished",
    "ce-source": "//pubsub.googleapis.com/projects/proj/topics/tuppence-mybot",
}
"""The headers of what Eventarc delivers."""
_numbers = itertools.count()


@contextmanager
def served(function, signature="http"):
    """Serve a function of this process; lend its address."""
    number = next(_numbers)
    FUNCTIONS[number] = function
    with TemporaryDirectory() as folder:
        source = Path(folder) / "main.py"
        text = (
            f"from gcp.served import FUNCTIONS\n\n\ndef target(one):\n    return FUNCTIONS[{number}](one)\n"
        )
        source.write_text(text, encoding="utf-8")
        app = create_app("target", str(source), signature)
        server = make_server("127.0.0.1", 0, app)  # one call at a time, as deployed
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            del FUNCTIONS[number]


def push(message, number=0, **more):
    """Return a message as Pub/Sub pushes it."""
    told = {
        "data": b64encode(message.body).decode(),
        "attributes": {"id": message.id},
        "messageId": f"{number}",
        "message_id": f"{number}",
        "publishTime": "2026-11-16T09:30:00.123Z",
        "publish_time": "2026-11-16T09:30:00.123Z",
    }
    if message.lane:
        told["orderingKey"] = message.lane
    return {"message": told, "subscription": "projects/proj/subscriptions/tuppence-mybot", **more}


def post(url, body, headers):
    """Call a function; return status and answer."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    told = {"Content-Type": "application/json", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, told), timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
