"""What the bench's queue is, seen from the network: a process that takes requests, or fails to.

    python -m tuppence.bench.backend healthy

Prints the port of 127.0.0.1 it has. When its standard input ends, it prints how many requests came, and ends.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from enum import StrEnum
from typing import Final

HOST: Final = "127.0.0.1"
DELAY: Final = 0.1
"""Seconds that the slow one takes for an answer."""
_HEAD: Final = b"\r\n\r\n"
_ANSWER: Final = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class Condition(StrEnum):
    """How the queue is."""

    HEALTHY = "healthy"
    SLOW = "slow"  # it answers after `DELAY`
    THROTTLING = "429"  # it is always asked too often
    HANGING = "hanging"  # it never answers
    DEAD = "dead"  # nobody listens


async def serve(condition: Condition) -> None:
    """Meet requests in one way, until standard input ends."""
    came: list[int] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _meet(condition, reader, writer, came)

    place = socket.socket()
    place.bind((HOST, 0))  # and with that refuses, until somebody listens
    if condition is not Condition.DEAD:
        await asyncio.start_server(meet, sock=place)
    print(place.getsockname()[1], flush=True)  # noqa: T201 - as the docstring says
    await asyncio.to_thread(sys.stdin.read)
    print(len(came), flush=True)  # noqa: T201 - as above


async def _meet(
    condition: Condition, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, came: list[int]
) -> None:
    """Meet the requests of one connection, and note the length of each."""
    status = b"429 Too Many Requests" if condition is Condition.THROTTLING else b"200 OK"
    try:
        while True:
            head = (await reader.readuntil(_HEAD)).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
            came.append(len(await reader.readexactly(int(length or 0))))
            if condition is Condition.HANGING:
                await asyncio.Event().wait()
            if condition is Condition.SLOW:
                await asyncio.sleep(DELAY)
            writer.write(_ANSWER % status)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


if __name__ == "__main__":
    asyncio.run(serve(Condition(sys.argv[1])))
