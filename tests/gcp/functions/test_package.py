"""The source: what is in it, that it is the same each time, and that a clean Python drains by it alone."""

import json
import os
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from emulators import UV, free_port, running
from gcp.issuer import removed
from gcp.queues import queues_at
from gcp.served import post
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Message
from tuppence.pipeline import layout
from tuppence.queue import Queue
from tuppence.store import Store
from tuppence_gcp.package import build
from tuppence_gcp.queue import PubSubQueue
from tuppence_gcp.store import FirestoreStore

URL = "https://us-central1-proj.cloudfunctions.net/tuppence-{project}-drain"


@pytest.fixture
def config(project, tmp_path):
    return load(folder=tmp_path, environ={}, provider="gcp", project=project, mailer={"provider": "local"})


@pytest.fixture
def built(config, tmp_path):
    return build(tmp_path, config)


def test_the_same_versions_are_the_same_bytes(built, config, tmp_path):
    first = built.read_bytes()

    assert build(tmp_path, config).read_bytes() == first


def test_it_holds_our_code_and_pins_that_of_others(built):
    with zipfile.ZipFile(built) as archive:
        names = archive.namelist()
        pinned = archive.read("requirements.txt").decode().splitlines()

    packages = {name.partition("/")[0] for name in names}
    assert packages == {
        "main.py", "requirements.txt", "tuppence.toml", "tuppence", "tuppence_gcp",
        "tuppence-0.1.0.dist-info", "tuppence_gcp-0.1.0.dist-info",
    }  # fmt: skip
    assert not [name for name in names if "/cli/" in name or "/terraform/" in name or name.endswith(".pyc")]
    assert all("==" in line for line in pinned)
    assert {line.partition("==")[0] for line in pinned} >= {"functions-framework", "google-auth", "msgspec"}
    assert not {line.partition("==")[0] for line in pinned} & {"click", "rich", "tuppence", "tuppence-gcp"}
    assert built.stat().st_size < 1_000_000


@pytest.mark.parametrize("key", ["certificates", "create_database"])
def test_what_only_this_machine_has_does_not_go_with_it(project, tmp_path, key):
    compute = {"certificates": "http://127.0.0.1:1/certs", "create_database": False}
    config = load(folder=tmp_path, environ={}, provider="gcp", project=project, compute=compute)

    with zipfile.ZipFile(build(tmp_path, config)) as archive:
        assert key not in archive.read("tuppence.toml").decode()


@pytest.fixture
def deployed(built, tmp_path):
    """Unpack the source, and install into an environment of its own what it asks for."""
    folder, clean = tmp_path / "source", tmp_path / "clean"
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder)
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
    for command in (
        ["venv", "--quiet", "--python", sys.executable, str(clean)],
        [
            "pip",
            "install",
            "--quiet",
            "--python",
            str(clean / "bin" / "python"),
            "-r",
            str(folder / "requirements.txt"),
        ],
    ):
        done = subprocess.run([UV, *command], env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder, clean / "bin" / "functions-framework"


@contextmanager
def function(deployed, target, **environment):
    """Run a function as Cloud Run does, in a process that has nothing of this checkout."""
    folder, program = deployed
    port = free_port()
    command = [str(program), "--source", str(folder / "main.py"), "--target", target, "--host", "127.0.0.1"]
    told = {"VIRTUAL_ENV": "", "PYTHONPATH": "", **environment}
    with running([*command, "--port", str(port)], port, told):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.slow
def test_a_function_drains_by_it_alone(deployed, pubsub_url, firestore_url, opened, project, issuer, clock):
    name = f"tuppence-{project}-drain"
    token = issuer.token(
        URL.format(project=project), f"tuppence-{project}-invoke@proj.iam.gserviceaccount.com"
    )
    at = datetime(2026, 11, 16, 9, tzinfo=UTC).isoformat()
    event = Message(id="m1", body=json.dumps({"id": "e1", "type": "signup", "time": at}).encode())
    environment = {
        "PUBSUB_EMULATOR_HOST": pubsub_url.removeprefix("http://"),
        "FIRESTORE_EMULATOR_HOST": firestore_url.removeprefix("http://"),
        "TUPPENCE_COMPUTE__CERTIFICATES": issuer.certificates,
        "GOOGLE_CLOUD_PROJECT": "proj",
        "K_SERVICE": name,
        "K_REVISION": f"{name}-00001-abc",
    }
    with queues_at(pubsub_url, project):
        queue = Queue(opened(PubSubQueue, pubsub_url), clock)
        assert not queue.send([event], deadline=Deadline.after(30, clock))

        with function(deployed, "run", **environment) as url:
            refused = post(url, {"job": "drain"}, {})
            done = post(url, {"job": "drain"}, {"Authorization": f"Bearer {removed(token)}"})
            again = post(url, {"job": "drain"}, {"Authorization": f"Bearer {token}"})

    store = Store(opened(FirestoreStore, firestore_url), clock)
    assert (refused[0], done[0], again[0]) == (401, 204, 204), done
    assert (
        len(list(store.query(layout.segments(project, "2026111609"), deadline=Deadline.after(30, clock))))
        == 1
    )
