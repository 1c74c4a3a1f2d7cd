"""A function's process as Lambda keeps it: really stopped between calls, and thawed for the next.

An application of ours runs in it, under AWS's own runtime client, on the sources of this checkout.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aws.runtime_api import PATIENCE, Answer, RuntimeApi, function, runtime_api

NOTICE = 1.5
"""Seconds between the two signals: Lambda gives half a second, to a machine that does nothing else."""


class Frozen:
    """The process, frozen whenever no call is under way."""

    def __init__(self, api: RuntimeApi, process: subprocess.Popen[bytes]) -> None:
        self.api = api
        self.process = process
        self.freeze()

    def call(self, event: Any, *, timeout: float = PATIENCE) -> Answer:
        """Thaw, return what the function answers, and freeze once all have asked for the next call."""
        self.thaw()
        answer = self.api.call(event, timeout=timeout)
        self.freeze()
        return answer

    def thaw(self) -> None:
        """Go on."""
        self.process.send_signal(signal.SIGCONT)

    def freeze(self) -> None:
        """Stop every thread, as soon as Lambda may."""
        assert self.api.rested(), "somebody has not asked for the next call"
        self.process.send_signal(signal.SIGSTOP)

    def shut_down(self) -> None:
        """End it as Lambda does: by SIGKILL, with SIGTERM first where there is an internal extension."""
        if self.api.extensions:
            self.thaw()
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(NOTICE)
        self.process.kill()
        self.process.wait()


@contextmanager
def frozen(python: Path, root: Path, **environment: str) -> Iterator[Frozen]:
    """Run `app.handler` of a folder until it rests for the first time; its output is `log` in that folder.

    Args:
        python: an interpreter that has AWS's runtime client.
        root: the function's package.
        environment: what it is told, beside what Lambda tells.

    """
    with (
        runtime_api() as api,
        function(python, root, "app.handler", api, root / "log", **{**told(root), **environment}) as process,
    ):
        yield Frozen(api, process)


def told(root: Path) -> Mapping[str, str]:
    """Return what makes a process find this checkout, and write to the function's own `tmp`."""
    (root / "tmp").mkdir(exist_ok=True)
    return {
        "PYTHONPATH": os.pathsep.join([str(root), *filter(None, sys.path)]),
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
        "HOME": "/nowhere",
        "TMPDIR": str(root / "tmp"),
    }
