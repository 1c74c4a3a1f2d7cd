"""Counterparts of AWS."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from emulators.processes import ROOT, UV, free_port, running

MINISTACK = "ministack==1.5.33"


@contextmanager
def ministack(**environment: str) -> Iterator[str]:
    """Run ministack: functions, event sources and schedules really run on it, and policies are enforced.

    It has an environment of its own, since it pins the SDK exactly.
    """
    port = free_port()
    told = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",  # without it, every interface
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "AUTH": "true",
        **environment,
    }
    command = [str(UV), "tool", "run", "--quiet", "--from", MINISTACK, "ministack"]
    with running(command, port, told):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def moto(**environment: str) -> Iterator[str]:
    """Run moto's server: the second opinion, and it keeps mail as it was sent."""
    port = free_port()
    command = [sys.executable, str(ROOT / "tests" / "moto_one_by_one.py"), str(port)]
    with running(command, port, {"MOTO_PORT": str(port), **environment}):
        yield f"http://127.0.0.1:{port}"
