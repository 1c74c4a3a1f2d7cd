"""The functions' package: its size, how long a first call takes, and the most memory that a function holds.

    PYTHONPATH=tests python benchmarks/lambda_package.py [--events 20000]

A function runs under AWS's own runtime client, in an environment that has boto3 and nothing else, against
ministack: it drains a queue of SQS into a table of DynamoDB, seals it, and mails the week's report. A process
that imports boto3 and makes one client is measured beside it, since that is what any function here pays.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import sys
import tempfile
import time
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from bot import made_up

from aws.queues import queues_at
from aws.runtime_api import environment, function, runtime_api
from aws.tables import table_at
from emulators import UV, ministack
from tuppence.batch import Header, pack
from tuppence.clock import Deadline
from tuppence.config import Config, load
from tuppence.drivers import Message
from tuppence.event import hour_of, milliseconds
from tuppence.runtime import Runtime
from tuppence_aws.package import build

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HERE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
EACH = 1_000
"""Events in a message."""
ADDRESS = "me@example.com"
BARE = "import boto3\n\ndef handler(event, context):\n    boto3.client('sqs')\n"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=20_000)
    events = parser.parse_args().events
    os.environ["PATH"] = f"{UV.parent}{os.pathsep}{os.environ['PATH']}"
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-west-2"}
    os.environ["AWS_DEFAULT_REGION"] = os.environ["AWS_REGION"]
    with (
        tempfile.TemporaryDirectory() as scratch,
        ministack() as url,
        table_at(url, "tuppence-bench"),
        queues_at(url, "bench"),
    ):
        measure(Path(scratch), url, events)


def measure(scratch: Path, url: str, events: int) -> None:
    """Print sizes, then each function's times and memory."""
    config = configured(scratch, url)
    for architecture in ("arm64", "x86_64"):
        built = build(scratch, config, architecture)
        inside = sum(one.file_size for one in zipfile.ZipFile(built).infolist())
        print(f"{architecture}: {built.stat().st_size / 1e6:.1f} MB, unpacked {inside / 1e6:.1f} MB")
    root, bare = scratch / "task", scratch / "bare"
    (scratch / "here").mkdir()
    zipfile.ZipFile(build(scratch / "here", config, HERE, python=PYTHON)).extractall(root)
    bare.mkdir()
    (bare / "app.py").write_text(BARE, encoding="utf-8")
    python = environment(scratch / "venv", UV, sys.executable)
    send(config, events)
    boto3.client("sesv2", endpoint_url=url).create_email_identity(EmailIdentity=ADDRESS)
    print(f"{'':24}{'first call':>12}{'second':>10}{'most memory':>14}")
    show("boto3 and one client", python, bare, "app.handler", {})
    for job in ("drain", "seal", "report"):
        show(f"{job} ({events:,} events)", python, root, "tuppence_aws.handlers.run", {"job": job})


def configured(scratch: Path, url: str) -> Config:
    """Return the configuration of a project on the emulator."""
    parts: dict[str, Any] = {kind: {"endpoint": url} for kind in ("queue", "store", "compute", "mailer")}
    parts["store"] |= {"read_units": 0, "write_units": 0}  # the code is measured, not the waiting for units
    return load(folder=scratch, environ={}, project="bench", report={"to": [ADDRESS]}, **parts)


def send(config: Config, events: int) -> None:
    """Put last week's events into the queue, a thousand to a message."""
    chance = random.Random(7)
    monday = datetime.now(UTC) - timedelta(days=datetime.now(UTC).weekday() + 7)
    with Runtime(config) as runtime:
        for number in range(max(1, events // EACH)):
            at = (monday + timedelta(hours=number % 160)).replace(minute=0, second=0, microsecond=0)
            start = milliseconds(at)
            first = number * EACH + 1
            made = [made_up(chance, first + n, start + n * 3_000) for n in range(EACH)]
            header = Header(
                project="bench", hour=hour_of(start), count=EACH, instance="i" * 22,
                first=first, last=first + EACH - 1, captured=first + EACH - 1,
            )  # fmt: skip
            batch = pack(header, made)
            message = Message(id=batch.id, body=batch.body, lane=batch.id[0])
            assert not runtime.queue.send([message], deadline=Deadline.after(30))


def show(name: str, python: Path, root: Path, handler: str, event: dict[str, str]) -> None:
    """Print what a new process takes for its first call, from its start, and for its second."""
    with runtime_api() as api, tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        log = Path(folder) / "log"
        with function(python, root, handler, api, log) as process:
            first = api.call(event, timeout=300)
            took = [time.monotonic() - started]
            again = time.monotonic()
            second = api.call(event, timeout=300)
            took.append(time.monotonic() - again)
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        assert not first.failed, log.read_text()
        assert not second.failed, log.read_text()
    most = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    print(f"{name:24}{took[0]:>11.2f}s{took[1]:>9.2f}s{most / 1024:>10.0f} MiB")


if __name__ == "__main__":
    main()
