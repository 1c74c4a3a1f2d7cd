"""The connection: that it ends in time, is kept, is safe, and needs no SDK."""

import socket
import ssl
import subprocess
import sys
import threading

import pytest
import trustme

from aws import faulty as faults
from aws.faulty import Answer
from aws.listening import listening, read_request, silent, trickling
from tuppence import connection
from tuppence.clock import Deadline
from tuppence.connection import Timed
from tuppence.drivers import Message
from tuppence.errors import ErrorCode
from tuppence.testing.contract import refused
from tuppence_aws.connection import Connection

LARGE = [Message(id=f"{number}", body=bytes(250_000)) for number in range(4)]
ONE = [Message(id="a", body=b"x")]
DONE = b'HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n{"Successful": [{"Id": "0"}]}'


def polite(client, ended):
    """Answer request after request."""
    while read_request(client):
        client.sendall(DONE)


@pytest.mark.parametrize("serve", [silent, trickling])
def test_a_call_ends_at_its_deadline_however_the_answer_comes(opened, clock, serve):
    with listening(serve) as port:
        queue = opened(f"http://127.0.0.1:{port}")

        with refused(ErrorCode.TIMEOUT) as caught:
            queue.send(ONE, deadline=Deadline.after(0.5, clock))

    assert "may have been carried out" in str(caught.value)


def test_one_who_does_not_read_holds_up_nobody(clock):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sending = Timed(ours)
        sending.deadline = Deadline.after(0.5, clock)

        with pytest.raises(TimeoutError):
            sending.sendall(bytes(50_000_000))


def test_one_connection_serves_many_calls(opened, soon):
    clients = []

    def serve(client, ended):
        clients.append(client)
        polite(client, ended)

    with listening(serve) as port:
        queue = opened(f"http://127.0.0.1:{port}")
        for _ in range(5):
            assert not queue.send(ONE, deadline=soon())
        queue.close()

    assert len(clients) == 1


def test_a_connection_that_was_closed_meanwhile_is_made_anew(opened, soon):
    closed = threading.Event()

    def once(client, ended):
        read_request(client)
        client.sendall(DONE)
        client.shutdown(socket.SHUT_WR)
        closed.set()

    with listening(once) as port:
        queue = opened(f"http://127.0.0.1:{port}")
        for _ in range(3):
            assert not queue.send(ONE, deadline=soon())
            assert closed.wait(10)
            closed.clear()


def test_a_connection_that_rested_for_long_is_made_anew(opened, soon, monkeypatch):
    monkeypatch.setattr(connection, "KEPT", -1.0)
    clients = []

    def serve(client, ended):
        clients.append(client)
        read_request(client)
        client.sendall(DONE)
        client.recv(1)

    with listening(serve) as port:
        queue = opened(f"http://127.0.0.1:{port}")
        for _ in range(3):
            queue.send(ONE, deadline=soon())
        queue.close()

    assert len(clients) == 3


@pytest.mark.parametrize(("fault", "code"), faults.CODES.items())
def test_each_fault_has_its_code_and_is_not_retried(faulty, opened, soon, fault, code):
    queue = opened(faulty.url)
    faulty.planned.append(fault)

    with refused(code):
        queue.send(ONE, deadline=soon())

    assert faulty.met == {fault.__name__: 1}
    assert not queue.send(ONE, deadline=soon())


def test_nobody_there_is_unavailable(opened, soon):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    with refused(ErrorCode.UNAVAILABLE):
        opened(f"http://127.0.0.1:{port}").send(ONE, deadline=soon())


@pytest.mark.parametrize("body", [b"", b"[]", b"<html>", b'{"Failed": 1}'])
def test_an_answer_that_cannot_be_read_is_unavailable(opened, stand_in, soon, body):
    with refused(ErrorCode.UNAVAILABLE):
        opened(stand_in(lambda _: Answer(200, {}, body))).send(ONE, deadline=soon())


@pytest.fixture
def authority(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return authority


@pytest.fixture
def secured(authority):
    """Yield the port of a server with a certificate for `localhost`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    def serve(client, ended):
        try:
            with context.wrap_socket(client, server_side=True) as safe:
                polite(safe, ended)
        except OSError:
            return

    with listening(serve) as port:
        yield port


def test_a_certificate_that_is_trusted_is_taken(secured, opened, soon, monkeypatch, tmp_path):
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    queue = opened(f"https://localhost:{secured}")

    assert not queue.send(ONE, deadline=soon())
    errors = queue.send(LARGE, deadline=soon())

    assert [error.position for error in errors] == [1, 2, 3]  # the server names the first alone
    queue.close()


def test_a_certificate_of_nobody_known_or_for_another_name_is_refused(
    secured, opened, soon, monkeypatch, tmp_path
):
    with refused(ErrorCode.UNAVAILABLE) as unknown:
        opened(f"https://localhost:{secured}").send(ONE, deadline=soon())
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    with refused(ErrorCode.UNAVAILABLE) as other:
        opened(f"https://127.0.0.1:{secured}").send(ONE, deadline=soon())

    assert "AWS_CA_BUNDLE" in str(unknown.value)
    assert "not trusted" in str(other.value)


def test_a_handshake_that_nobody_answers_ends_at_the_deadline(opened, clock):
    with listening(silent) as port, refused(ErrorCode.TIMEOUT):
        opened(f"https://localhost:{port}").send(ONE, deadline=Deadline.after(0.5, clock))


def relay(here, there):
    """Pass on what comes, until it ends."""
    while data := here.recv(65536):
        there.sendall(data)


def test_a_proxy_is_used_where_the_environment_names_one(secured, opened, soon, monkeypatch, tmp_path):
    asked = []

    def tunnel(client, ended):
        asked.append(read_request(client))
        with socket.create_connection(("127.0.0.1", secured)) as target:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=relay, args=(target, client))
            back.start()
            relay(client, target)
            target.shutdown(socket.SHUT_WR)
            back.join()

    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", "")
    with listening(tunnel) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{port}")
        queue = opened(f"https://localhost:{secured}")
        assert not queue.send(ONE, deadline=soon())
        queue.close()

    assert asked[0].startswith(f"CONNECT localhost:{secured} ".encode())
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in asked[0]


def test_a_proxy_that_refuses_is_told_of_without_its_password(opened, soon, monkeypatch):
    def refuse(client, ended):
        read_request(client)
        client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.setenv("NO_PROXY", "")
    with listening(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@127.0.0.1:{port}")
        with refused(ErrorCode.UNAVAILABLE) as caught:
            opened("https://localhost:1").send(ONE, deadline=soon())

    assert "407" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_an_answer_without_end_is_refused(soon, monkeypatch):
    monkeypatch.setattr(connection, "MOST", 1000)

    def endless(client, ended):
        read_request(client)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + bytes(5000))

    with listening(endless) as port, pytest.raises(connection.http.client.HTTPException):
        Connection(f"http://127.0.0.1:{port}").request("GET", "/", {}, deadline=soon())


def test_an_application_that_sends_to_aws_loads_no_sdk(queue, service, ministack_url, tmp_path):
    script = (
        "import sys, tuppence\n"
        f"tp = tuppence.Client(provider='aws', project={queue.context.project!r}, "
        f"queue={{'endpoint': {ministack_url!r}}}, capture={{'directory': 'journal'}})\n"
        "with tp.question('How?') as q: q.answered()\n"
        "assert tp.flush()\n"
        "tp.close()\n"
        "print(*{'boto3', 'botocore', 'urllib3', 'tuppence.report'} & set(sys.modules))\n"
    )

    finished = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert (finished.stdout.strip(), finished.stderr) == ("", "")
    address = service.get_queue_url(QueueName=queue.name)["QueueUrl"]
    assert len(service.receive_message(QueueUrl=address)["Messages"]) == 1
