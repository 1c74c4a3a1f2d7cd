"""Lambda's side of a function's process: its Runtime and Extensions API on 127.0.0.1, and AWS's own client of
the first in an environment that has nothing but what Lambda's Python has.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Condition, Thread
from typing import Any

THERE = ("awslambdaric==4.2.2", "boto3")
"""What a function finds beside its package."""
PATIENCE = 60.0
RUNTIME = "runtime"
"""Who asks, beside extensions by their names."""
IDENTIFIER = "Lambda-Extension-Identifier"
ARN = "arn:aws:lambda:eu-west-2:000000000000:function:f"


@dataclass(frozen=True)
class Call:
    """One call: its id, what it is about, and its deadline in milliseconds since 1970."""

    request: str
    event: Any
    deadline: int


@dataclass
class Answer:
    """What a function answered: its value, or Lambda's record of an error."""

    value: Any
    failed: bool


class RuntimeApi:
    """Hands calls to the one process that asks for them, and takes its answers.

    Attributes:
        address: where it is, as a function's process is told.
        answers: what the process answered, for who did not wait.

    """

    def __init__(self) -> None:
        self.address = ""
        self.answers: queue.Queue[Answer] = queue.Queue()
        self.extensions: list[str] = []
        self._calls: dict[str, queue.Queue[Call | None]] = {RUNTIME: queue.Queue()}
        self._asking: set[str] = set()
        self._changed = Condition()

    def call(self, event: Any, *, timeout: float = PATIENCE) -> Answer:
        """Return what the function answers to an event."""
        self.begin(event, timeout=timeout)
        return self.answers.get(timeout=PATIENCE)

    def begin(self, event: Any, *, timeout: float = PATIENCE) -> None:
        """Hand over an event, and do not wait."""
        call = Call(str(uuid.uuid4()), event, int((time.time() + timeout) * 1000))
        with self._changed:
            self._asking.clear()
        for calls in self._calls.values():
            calls.put(call)

    def rested(self, *who: str, timeout: float = PATIENCE) -> bool:
        """Wait until all have asked for the next call, at which Lambda freezes; return whether they have.

        Args:
            who: these alone, by their names.
            timeout: seconds to wait at most.

        """
        with self._changed:
            return self._changed.wait_for(lambda: self._asking >= (set(who) or set(self._calls)), timeout)

    def register(self, name: str, events: list[str]) -> str:
        """Take an extension of the function's own process; return its identifier, or nothing to refuse it.

        Of the end external ones alone are told, and a name is taken once.
        """
        if events != ["INVOKE"] or name in self.extensions:
            return ""
        self.extensions.append(name)
        self._calls[name] = queue.Queue()
        return name

    def next(self, who: str) -> Call | None:
        """Wait for a call; `None` when there will be no more."""
        with self._changed:
            self._asking.add(who)
            self._changed.notify_all()
        call = self._calls[who].get()
        with self._changed:
            self._asking.discard(who)
        return call

    def end(self) -> None:
        """Let go of those who ask."""
        for calls in self._calls.values():
            calls.put(None)


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    """Serve until the block ends."""
    api = RuntimeApi()
    server = _Server(("127.0.0.1", 0), _handler_of(api))
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    api.address = f"127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        api.end()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a process that is stopped while it asks for a call."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _handler_of(api: RuntimeApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            internal = IDENTIFIER in self.headers
            call = api.next(self.headers.get(IDENTIFIER, RUNTIME))
            if call is None:
                self.close_connection = True
            elif internal:
                told = {"eventType": "INVOKE", "deadlineMs": call.deadline, "requestId": call.request}
                self._answer(200, json.dumps({**told, "invokedFunctionArn": ARN}).encode(), {})
            else:
                self._answer(200, json.dumps(call.event).encode(), _headers(call))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")
            if not self.path.endswith("/extension/register"):
                self._answer(202, b"", {})
                api.answers.put(Answer(body, self.path.endswith("error")))
            elif identifier := api.register(self.headers["Lambda-Extension-Name"], body["events"]):
                self._answer(200, b"{}", {IDENTIFIER: identifier})
            else:
                self._answer(403, b'{"errorType": "Extension.Refused"}', {})

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _headers(call: Call) -> Mapping[str, str]:
    return {
        "Lambda-Runtime-Aws-Request-Id": call.request,
        "Lambda-Runtime-Deadline-Ms": str(call.deadline),
        "Lambda-Runtime-Invoked-Function-Arn": ARN,
        "Content-Type": "application/json",
    }


@contextmanager
def function(
    python: Path, root: Path, handler: str, api: RuntimeApi, log: Path, **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a function's process on an unpacked package, with nothing of this process's environment."""
    told = {
        "PATH": os.defpath,
        "PYTHONPATH": str(root),
        "LAMBDA_TASK_ROOT": str(root),
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_REGION": "eu-west-2",
        "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "_HANDLER": handler,
        **environment,
    }
    command = [str(python), "-m", "awslambdaric", handler]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=told, cwd=root, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def environment(folder: Path, uv: Path, python: str) -> Path:
    """Make an environment of Lambda's Python and return its interpreter."""
    subprocess.run([uv, "venv", "--quiet", "--python", python, folder], check=True)
    interpreter = folder / "bin" / "python"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", interpreter, *THERE], check=True)
    return interpreter
