"""The collector's process: HTTP, and the one call of gRPC that Pub/Sub's client makes.

    python -m collector.server http|grpc PORT

Takes orders on standard input, a line each, and answers each with a line: a mood's name to be in it, or
`dump FILE` to write down, pickled, what was taken since the last time.
"""

from __future__ import annotations

import asyncio
import pickle
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

from collector.moods import Mood, Request
from collector.speech import JSON, UNREADABLE, answer

HOST = "127.0.0.1"
STATUS = {Mood.HEALTHY: 200, Mood.FAILING: 500, Mood.THROTTLING: 429}
REFUSAL = b'{"__type": "com.amazonaws.sqs#Refused", "error": "made up", "code": 0}'
LONG = 1 << 24
"""Bytes of a line that are read at most."""


class Server(Protocol):
    """What takes events."""

    taken: list[Request]

    async def be(self, mood: Mood) -> None:
        """Meet requests in this way from now on."""


class HttpServer:
    """Speaks HTTP/1.1 with bodies of stated length, which is what all of these clients send."""

    def __init__(self, port: int) -> None:
        self.taken: list[Request] = []
        self._port = port
        self._mood = Mood.REFUSING
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def be(self, mood: Mood) -> None:
        self._mood = mood
        if mood is Mood.REFUSING and self._server is not None:
            self._server.close()
            self._server = None
            for writer in self._open:
                writer.transport.abort()
        elif mood is not Mood.REFUSING and self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self._port, limit=LONG, backlog=512)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while await self._meet(await _read(reader), writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            self._open.discard(writer)
            writer.close()

    async def _meet(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Treat a request as the mood wants; return whether the connection is still of use."""
        mood = self._mood
        if mood is Mood.HANGING:
            await asyncio.Event().wait()
        try:
            kind, body = answer(request) if mood is Mood.HEALTHY else (JSON, REFUSAL)
        except UNREADABLE:
            writer.write(b"HTTP/1.1 400 -\r\nContent-Length: 0\r\n\r\n")
            return False
        if mood in {Mood.HEALTHY, Mood.LOSING}:
            self.taken.append(request)
        if mood in {Mood.RESETTING, Mood.LOSING}:
            _reset(writer)
            return False
        head = f"HTTP/1.1 {STATUS[mood]} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        return True


async def _read(reader: asyncio.StreamReader) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(first.split(" ")[1], headers, body, len(head) + len(body))


def _reset(writer: asyncio.StreamWriter) -> None:
    """Break the connection off as a crashed machine's would be: with RST, at once."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class GrpcServer:
    """Speaks gRPC, where a fault is a status: a connection that resets is UNAVAILABLE to its client."""

    METHOD = "/google.pubsub.v1.Publisher/Publish"

    def __init__(self, port: int) -> None:
        self.taken: list[Request] = []
        self._port = port
        self._mood = Mood.REFUSING
        self._server: Any = None
        self._given = 0

    async def be(self, mood: Mood) -> None:
        import grpc

        self._mood = mood
        if mood is Mood.REFUSING and self._server is not None:
            await self._server.stop(None)
            self._server = None
        elif mood is not Mood.REFUSING and self._server is None:
            self._server = grpc.aio.server()
            self._server.add_generic_rpc_handlers((_Publishing(self._publish),))
            self._server.add_insecure_port(f"{HOST}:{self._port}")
            await self._server.start()

    async def _publish(self, body: bytes, context: Any) -> bytes:
        import grpc
        from google.pubsub_v1.types import PublishRequest, PublishResponse

        mood = self._mood
        if mood in {Mood.HEALTHY, Mood.LOSING}:
            self.taken.append(Request(self.METHOD, {}, body, len(body)))
        if mood is Mood.HANGING:
            await asyncio.Event().wait()
        status = {
            Mood.FAILING: grpc.StatusCode.INTERNAL,
            Mood.THROTTLING: grpc.StatusCode.RESOURCE_EXHAUSTED,
            Mood.RESETTING: grpc.StatusCode.UNAVAILABLE,
            Mood.LOSING: grpc.StatusCode.UNAVAILABLE,
        }.get(mood)
        if status is not None:
            await context.abort(status, "made up")
        ids = [f"{self._given + n}" for n in range(len(PublishRequest.deserialize(body).messages))]
        self._given += len(ids)
        return bytes(PublishResponse.serialize(PublishResponse(message_ids=ids)))


class _Publishing:
    """Finds the handler of a call, as gRPC asks for it."""

    def __init__(self, publish: Callable[[bytes, Any], Awaitable[bytes]]) -> None:
        self._publish = publish

    def service(self, details: Any) -> Any:
        import grpc

        return (
            grpc.unary_unary_rpc_method_handler(self._publish)
            if details.method == GrpcServer.METHOD
            else None
        )


SERVERS: dict[str, Callable[[int], Server]] = {"http": HttpServer, "grpc": GrpcServer}


async def serve(kind: str, port: int) -> None:
    """Take orders until standard input ends."""
    server = SERVERS[kind](port)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    while line := (await orders.readline()).decode().strip():
        order, _, file = line.partition(" ")
        if order == "dump":
            taken, server.taken = server.taken, []
            await asyncio.to_thread(Path(file).write_bytes, pickle.dumps(taken))
        else:
            await server.be(Mood(order))
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
