"""moto's server, answering one request at a time.

Its condition on a write and the write itself are two steps, so two conditional writes at once can both
succeed; what is held against it here is what a store does, not how moto's threads meet.
"""

from __future__ import annotations

import sys
import threading

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple

if __name__ == "__main__":
    dispatch = DomainDispatcherApplication(create_backend_app)
    one_by_one = threading.Lock()

    def application(environ, start_response):
        with one_by_one:
            return dispatch(environ, start_response)

    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True, request_handler=MotoRequestHandler)
