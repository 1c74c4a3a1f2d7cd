"""The function apps' deployment package: a zip of what they import, what the host is told, the configuration.

Both apps have the same one; their settings say which part each is.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from tuppence import package
from tuppence.config import Config
from tuppence.settled import settled

LIBRARIES: Final = ".python_packages/lib/site-packages"
"""Where the host looks for them.

https://learn.microsoft.com/azure/azure-functions/functions-reference-python, read November 2026.
"""
GLIBC: Final = 28
"""Wheels for glibc 2.28 and before; that of Azure's images is newer, by how much was not verified."""
FUNCTION_APP: Final = '''\
"""The function app of a tuppence project. Azure's host imports this file."""

from pathlib import Path

from tuppence_azure.handlers import app as made_of

app = made_of(Path(__file__).parent)
'''
_UNUSED: Final = ("terraform", "deploy.py", "package.py", "findings")
_OURS: Final = "azure-functions"


def python() -> str:
    """Return the Python of the apps: Microsoft's library of version 2 is for 3.13 and newer, 1 for older."""
    return "3.12" if version(_OURS).startswith("1.") else "3.13"


def build(folder: Path, config: Config, timeout: timedelta) -> Path:
    """Write the package into `folder` and return its path, which tells its content. Raises `DeployError`.

    Args:
        folder: where.
        config: of the project.
        timeout: how long one call may take.

    """
    platform = package.Platform(
        provider="azure",
        python=python(),
        processor="x86_64",
        glibc=GLIBC,
        unused=tuple(f"tuppence_azure/{name}" for name in _UNUSED),
    )
    imported = {**package.fetched(package.libraries(config, platform), platform), **package.own(platform)}
    content = {
        **{f"{LIBRARIES}/{name}": file for name, file in imported.items()},
        "function_app.py": FUNCTION_APP.encode(),
        "host.json": (json.dumps(host(timeout), indent=2) + "\n").encode(),
        "tuppence.toml": settled(config).encode(),
    }
    written = package.write(folder / "functions.zip", content)
    digest = hashlib.sha256(written.read_bytes()).hexdigest()[:16]
    for stale in folder.glob("functions-*.zip"):
        stale.unlink()
    return written.rename(folder / f"functions-{digest}.zip")  # Terraform deploys what has another name


def host(timeout: timedelta) -> dict[str, Any]:
    """Return what `host.json` says.

    https://learn.microsoft.com/azure/azure-functions/functions-host-json, read November 2026. Calls of one
    process wait for each other, so what waits there is kept leased. An empty queue is looked at once a
    minute, as seldom as the host does by itself. Five failures set a message aside.
    """
    longest = _span(timeout)
    return {
        "version": "2.0",
        "extensionBundle": {
            "id": "Microsoft.Azure.Functions.ExtensionBundle",
            "version": "[4.0.0, 5.0.0)",
        },
        "functionTimeout": longest,
        "extensions": {
            "queues": {
                "messageEncoding": "none",  # what tuppence sends is text, and read as it is
                "maxPollingInterval": "00:01:00",
                "visibilityTimeout": "00:01:00",  # until what has failed comes again
                "batchSize": 16,
                "newBatchThreshold": 8,
                "maxDequeueCount": 5,
            },
            "serviceBus": {
                "autoCompleteMessages": True,  # once the function has returned
                "prefetchCount": 0,  # nothing is leased before somebody can work on it
                "maxConcurrentCalls": 16,
                "maxAutoLockRenewalDuration": longest,
            },
        },
        "logging": {
            "logLevel": {"default": "Warning", "Function": "Information"},
            "applicationInsights": {"samplingSettings": {"isEnabled": True, "maxTelemetryItemsPerSecond": 1}},
        },
    }


def _span(span: timedelta) -> str:
    """Return a length of time as the host writes it, of less than a day."""
    minutes, seconds = divmod(int(span.total_seconds()), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
