"""Stores for tests: a bucket as deployment makes it, and a database that is not there."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager

from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from aws.faulty import Answer, Faulty

NOWHERE = "nowhere"
"""The database that is not there; the emulator itself has every one that is asked for."""


def absent(request, forward):
    """Answer as the service where a database is asked for that is not there."""
    if f"/databases/{NOWHERE}/" not in request.path:
        return forward(request)
    told = {"code": 404, "message": "The database does not exist.", "status": "NOT_FOUND"}
    return Answer(404, {"Content-Type": "application/json"}, json.dumps({"error": told}).encode())


class OneByOne(Faulty):
    """A proxy before gcp-storage-emulator, which turns away who comes while five others wait."""

    def __init__(self, upstream, **plan):
        super().__init__(upstream, **plan)
        self._server.socket.listen(64)
        self._server.RequestHandlerClass.do_PATCH = self._server.RequestHandlerClass.do_POST
        self._turn = threading.Lock()

    def answer(self, request):
        with self._turn:
            return super().answer(request)


@contextmanager
def only_the_default(upstream):
    """Run a proxy before the emulator of Firestore behind which one database is not there."""
    proxy = Faulty(upstream, (absent,), rate=1.0)
    proxy._server.socket.listen(64)  # of racers that come at once, five would be let in
    with proxy.running():
        yield proxy.url


@contextmanager
def bucket_at(url, name, *, deletes=True):
    """Make a bucket by Google's own client, and take it away again with all that is in it."""
    with Client(
        project="proj", credentials=AnonymousCredentials(), client_options={"api_endpoint": url}
    ) as client:
        bucket = client.create_bucket(name)
        if deletes:
            bucket.add_lifecycle_delete_rule(days_since_custom_time=1)
            bucket.patch()  # the emulator leaves the rule out when a bucket is made
        yield bucket
        for blob in client.list_blobs(name):
            blob.delete()
        bucket.delete()
