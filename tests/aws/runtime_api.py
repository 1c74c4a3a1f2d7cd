"""Lambda's side of a function's process: its Runtime API on 127.0.0.1, and AWS's own client of it in an
environment that has nothing but what Lambda's Python has.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

THERE = ("awslambdaric==4.2.2", "boto3")
"""What a function finds beside its package."""
PATIENCE = 60.0


@dataclass
class Answer:
    """What a function answered: its value, or Lambda's record of an error."""

    value: Any
    failed: bool


@dataclass
class RuntimeApi:
    """Hands calls to the one process that asks for them, and takes its answers."""

    calls: queue.Queue[tuple[str, Any, float] | None] = field(default_factory=queue.Queue)
    answers: queue.Queue[Answer] = field(default_factory=queue.Queue)
    address: str = ""

    def call(self, event: Any, *, timeout: float = PATIENCE) -> Answer:
        """Return what the function answers to an event."""
        self.calls.put((str(uuid.uuid4()), event, timeout))
        return self.answers.get(timeout=timeout)


@contextmanager
def runtime_api() -> Iterator[RuntimeApi]:
    """Serve until the block ends."""
    api = RuntimeApi()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            waiting = api.calls.get()
            if waiting is None:
                self.close_connection = True
                return
            request, event, timeout = waiting
            self._answer(
                200,
                json.dumps(event).encode(),
                {
                    "Lambda-Runtime-Aws-Request-Id": request,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + timeout) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-2:000000000000:function:f",
                    "Content-Type": "application/json",
                },
            )

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._answer(202, b"", {})
            api.answers.put(Answer(json.loads(body or b"null"), self.path.endswith("error")))

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: a process is stopped while it asks for a call."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    api.address = f"127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        api.calls.put(None)
        server.shutdown()
        thread.join()
        server.server_close()


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
