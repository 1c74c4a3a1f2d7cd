"""Servers on 127.0.0.1 that do with a connection what `http.server` would not."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager


@contextmanager
def listening(serve):
    """Run a server that does `serve(connection)` for one connection after the other; yield its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that unread bytes block
        ended = threading.Event()

        def accept():
            while not ended.is_set():
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    serve(client, ended)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def read_request(client):
    """Read one request to the end of its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65536) or b"\r\n\r\n"
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    missing = int(lengths[0].partition(b":")[2]) - len(body) if lengths else 0
    while missing > 0:
        missing -= len(client.recv(65536))
    return head


def silent(client, ended):
    """Take the request and never answer."""
    ended.wait(30)


def trickling(client, ended):
    """Answer a byte at a time, each well within what a socket would wait for it."""
    read_request(client)
    for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000:
        try:
            client.sendall(bytes([byte]))
        except OSError:
            return
        if ended.wait(0.05):
            return
