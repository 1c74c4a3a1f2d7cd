"""Counterparts of Google Cloud: Google's own emulators, and one of Cloud Storage."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emulators.processes import free_port, running

JAVA = ("java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.language=en")
"""Small, and started rather than warmed up: two cores are shared by all the tests."""


@contextmanager
def pubsub() -> Iterator[str]:
    """Run Google's emulator of Pub/Sub."""
    port = free_port()
    jar = _component("pubsub-emulator", "lib/cloud-pubsub-emulator-*-all.jar")
    with running([*JAVA, "-jar", str(jar), "--host=127.0.0.1", f"--port={port}"], port, {}):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def firestore() -> Iterator[str]:
    """Run Google's emulator of Firestore."""
    port = free_port()
    jar = _component("cloud-firestore-emulator", "cloud-firestore-emulator.jar")
    main = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
    command = [*JAVA, "-cp", str(jar), main, "start", "--host=127.0.0.1", f"--port={port}"]
    with running(command, port, {}):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def storage() -> Iterator[str]:
    """Run gcp-storage-emulator, which is of no vendor; its answers are checked by Google's own client."""
    port = free_port()
    command = ["gcp-storage-emulator", "start", "--host=127.0.0.1", f"--port={port}", "--in-memory"]
    with running(command, port, {}):
        yield f"http://127.0.0.1:{port}"


def _component(name: str, pattern: str) -> Path:
    """Return a part of the Google Cloud SDK, which lies beside `gcloud` or in CLOUDSDK_ROOT."""
    gcloud = shutil.which("gcloud")
    told = os.environ.get("CLOUDSDK_ROOT")
    root = Path(told) if told else Path(gcloud).resolve().parents[1] if gcloud else Path()
    found = sorted((root / "platform" / name).glob(pattern))
    if not found or not shutil.which("java"):
        raise RuntimeError(
            f"the Google Cloud SDK's {name} is missing, or Java is: install both, for instance by "
            f"`gcloud components install {name}` and `apt-get install default-jre-headless`"
        )
    return found[-1]
