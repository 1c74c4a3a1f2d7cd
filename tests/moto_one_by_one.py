"""moto's server, answering one request at a time, and by the clock that it was given (`tests/ahead`).

Its condition on a write and the write itself are two steps, so two conditional writes at once can both
succeed; what is held against it here is what a store does, not how moto's threads meet.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import UTC, datetime

import moto.core.utils
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple


def now():
    """Return the time as moto has it: of `time.time`, which it does not ask."""
    return datetime.fromtimestamp(time.time(), UTC).replace(tzinfo=None)


if __name__ == "__main__":
    moto.core.utils.utcnow = now
    dispatch = DomainDispatcherApplication(create_backend_app)
    one_by_one = threading.Lock()

    def application(environ, start_response):
        with one_by_one:
            return dispatch(environ, start_response)

    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True, request_handler=MotoRequestHandler)
