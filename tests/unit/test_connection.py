"""An answer is read whole, or it is an error: over a real socket, whatever the other side breaks off."""

import http.client
import socket
import threading

import pytest

from tuppence.clock import Deadline, SystemClock
from tuppence.connection import Connection, unreached
from tuppence.errors import ErrorCode

OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def ask():
    """Return what asks a server that sends these bytes and closes."""
    threads = []

    def ask(sent):
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            with listener, listener.accept()[0] as accepted:
                accepted.recv(65536)
                accepted.sendall(sent)
                accepted.shutdown(socket.SHUT_WR)
                accepted.recv(65536)

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        connection = Connection(f"http://127.0.0.1:{listener.getsockname()[1]}")
        try:
            return connection.request("GET", "/", {}, deadline=Deadline.after(10, SystemClock()))
        finally:
            connection.close()

    yield ask
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(OK + b"Content-Length: 5\r\n\r\nwhole", id="with a length"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n0\r\n\r\n", id="in chunks"),
    ],
)
def test_a_whole_answer_is_returned(ask, sent):
    assert ask(sent).body == b"whole"


def test_an_answer_that_has_no_body_is_whole(ask):
    assert ask(b"HTTP/1.1 204 No Content\r\n\r\n").body == b""


def test_a_refusal_may_end_with_the_connection(ask):
    assert ask(b"HTTP/1.0 401 Unauthorized\r\n\r\nno").status == 401


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(OK + b"Content-Length: 5\r\n\r\nwhol", id="a byte less than its length"),
        pytest.param(OK + b"Content-Length: 5\r\n\r\n", id="nothing of its length"),
        pytest.param(OK + b"Content-Length: none\r\n\r\nwhole", id="a length that is no number"),
        pytest.param(OK + b"\r\nwhole", id="no length"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n", id="no last chunk"),
        pytest.param(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nwho", id="in the middle of a chunk"),
        pytest.param(OK + b"Content-Len", id="in the headers"),
        pytest.param(b"", id="before the answer"),
    ],
)
def test_an_answer_that_was_cut_off_is_an_error_that_may_be_retried(ask, sent):
    with pytest.raises((OSError, http.client.HTTPException)) as caught:
        ask(sent)

    assert unreached(caught.value, operation="store.get", provider="x").code is ErrorCode.UNAVAILABLE
