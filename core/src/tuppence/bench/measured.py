"""The measured process: a small ASGI application, asked by callers in the same process.

    python -m tuppence.bench.measured '{"way": "captured", "url": "…", "provider": "bench", "folder": "…"}'

Takes a number on a line of standard input, makes as many requests, and prints how long each took, in
milliseconds, as a JSON list on one line. At the end of its input it prints what became of the events.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import urllib.request
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import tuppence
from tuppence import asgi, config

HANDLER: Final = 0.012
"""Seconds that the application takes for an answer, of which it waits all: a look at a database, say."""
CALLERS: Final = 8
FLUSH: Final = "100ms"
"""A batch at each of the sender's looks, two a second, so that the queue is met over and over."""
_TEXT: Final = "Why has my card payment still not arrived?"
_LAST: Final = 5.0
"""Seconds for a last try to send."""


class Way(StrEnum):
    """How the application records what it is asked."""

    WITHOUT = "without"  # not at all
    CAPTURED = "captured"  # `question()` in the handler, and the middleware around it
    BLOCKING = "blocking"  # the control: a request to the queue before it answers


class Recording:
    """An application that records with tuppence."""

    def __init__(self, told: dict[str, str]) -> None:
        settings = config.load(
            folder=Path(told["folder"]),
            environ={},
            project="bench",
            queue={"provider": told["provider"], "endpoint": told["url"]},
            capture={"directory": told["folder"], "flush_interval": FLUSH},
        )
        self.client = tuppence.Client(settings)
        self.app = asgi.Middleware(self._answering, client=self.client)

    async def _answering(self, scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        with self.client.question(_TEXT, user="u1", session="s1") as asked:
            await answering(scope, receive, send)
            asked.answered(model="m", input_tokens=210, output_tokens=95)

    def end(self) -> dict[str, Any]:
        """Return what became of the events, once the queue has taken them or the client says why not."""
        captured = self.client.capture("bench over") - 1  # its number counts those before it
        until, sent = time.monotonic() + _LAST, False
        while not sent and not self.client.stats.problem and time.monotonic() < until:
            sent = self.client.flush(0.5)
        stats = self.client.stats
        self.client.close()
        return {"captured": captured, "sent": sent, "batches": stats.sent, "problem": stats.problem}


async def answering(_scope: asgi.Scope, _receive: asgi.Receive, send: asgi.Send) -> None:
    """Answer after a while."""
    await asyncio.sleep(HANDLER)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


def blocking(url: str) -> asgi.Application:
    """Return the application as one would write it who does not mind."""

    async def app(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        urllib.request.urlopen(url, data=_TEXT.encode()).close()  # noqa: ASYNC210,S310 - blocking is what it is for
        await answering(scope, receive, send)

    return app


async def asked(app: asgi.Application, requests: int) -> list[float]:
    """Return how long the caller of each request waited for the end of its answer, in milliseconds."""
    waited: list[float] = []
    left = iter(range(requests))

    async def call(number: int) -> None:
        await asyncio.sleep(HANDLER * number / CALLERS)  # or all would always come at once
        for _ in left:
            began = time.perf_counter()

            async def send(message: asgi.Message, began: float = began) -> None:
                if message["type"] == "http.response.body":
                    waited.append((time.perf_counter() - began) * 1000)

            await app({"type": "http", "method": "GET", "path": "/ask"}, _receive, send)

    await asyncio.gather(*map(call, range(CALLERS)))
    return waited


async def _receive() -> asgi.Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def main(told: dict[str, str]) -> None:
    """Make requests as often as is asked for, then say what became of the events."""
    recording = Recording(told) if told["way"] == Way.CAPTURED else None
    if recording is not None:
        app: asgi.Application = recording.app
    else:
        app = blocking(told["url"]) if told["way"] == Way.BLOCKING else answering
    while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
        print(json.dumps(await asked(app, int(line))), flush=True)  # noqa: T201 - as the docstring says
    end = recording.end() if recording else {}
    print(json.dumps(end), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
