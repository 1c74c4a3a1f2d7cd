"""The package: what is in it, that it is the same each time, and that a function runs from it alone."""

import platform
import sys
import zipfile

import pytest

from aws.runtime_api import environment, function, runtime_api
from emulators import UV
from tuppence import package
from tuppence.config import load
from tuppence.errors import DeployError
from tuppence_aws.package import build

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
HERE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the package is for Linux")
CONFIGURATION = {"provider": "local", "project": "mybot", "compute": {"provider": "aws"}}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    place = tmp_path_factory.mktemp("configured")
    paths = {kind: {"path": str(place / "tuppence.db")} for kind in ("queue", "store")}
    return load(folder=place, environ={}, **CONFIGURATION, **paths)


@pytest.fixture(scope="module", autouse=True)
def _tools():
    """Have uv on the path, as those who work in the checkout need not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(UV.parent), prepend=":")
        yield


@pytest.fixture(scope="module")
def built(config, tmp_path_factory):
    return build(tmp_path_factory.mktemp("built"), config, HERE, python=PYTHON)


@pytest.fixture(scope="module")
def unpacked(built, tmp_path_factory):
    root = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(root)
    return root


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return environment(tmp_path_factory.mktemp("lambda") / "venv", UV, sys.executable)


def test_the_same_versions_are_the_same_bytes(built, config, tmp_path):
    again = build(tmp_path, config, HERE, python=PYTHON)

    assert again.read_bytes() == built.read_bytes()


def test_it_holds_what_functions_use_and_no_more(built):
    names = zipfile.ZipFile(built).namelist()

    packages = {name.partition("/")[0] for name in names}
    assert {"tuppence", "tuppence_aws", "msgspec", "css_inline", "tuppence.toml"} <= packages
    assert not packages & {"boto3", "botocore", "rich", "click", "pygments", "bin", "pytest"}
    assert not [name for name in names if name.endswith((".pyc", "RECORD")) or "/cli/" in name]
    assert built.stat().st_size < 15_000_000


def test_libraries_are_those_of_the_processor_and_not_of_this_machine(config, tmp_path):
    path = build(tmp_path, config, "arm64")

    compiled = {name for name in zipfile.ZipFile(path).namelist() if name.endswith(".so")}
    assert compiled
    assert all("aarch64" in name or "abi3" in name for name in compiled), compiled


@LINUX
@pytest.mark.parametrize(
    ("handler", "event", "answer"),
    [
        ("run", {"job": "drain"}, None),
        ("run", {"job": "seal"}, None),
        ("run", {"job": "report"}, None),
        ("consume", {"Records": []}, {"batchItemFailures": []}),
    ],
    ids=["drain", "seal", "report", "consume"],
)
def test_a_function_runs_from_it_alone(python, unpacked, tmp_path, handler, event, answer):
    log = tmp_path / "log"
    with runtime_api() as api, function(python, unpacked, f"tuppence_aws.handlers.{handler}", api, log):
        answers = [api.call(event) for _ in range(2)]

    assert [(one.value, one.failed) for one in answers] == [(answer, False)] * 2, log.read_text()


@LINUX
def test_each_part_of_aws_and_of_the_report_can_be_imported_from_it(python, unpacked, tmp_path):
    (unpacked / "probe.py").write_text(PROBE, encoding="utf-8")
    with runtime_api() as api, function(python, unpacked, "probe.handler", api, tmp_path / "log"):
        answer = api.call({})

    assert answer.value == [], (tmp_path / "log").read_text()


PROBE = """\
import importlib, pathlib

def handler(event, context):
    root = pathlib.Path(__file__).parent
    broken = []
    for package in ("tuppence", "tuppence_aws"):
        for file in sorted((root / package).rglob("*.py")):
            name = ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            try:
                importlib.import_module(name)
            except ImportError as error:
                broken.append(f"{name}: {error}")
    return broken
"""


@LINUX
def test_an_error_is_told_to_lambda(python, unpacked, tmp_path):
    with (
        runtime_api() as api,
        function(python, unpacked, "tuppence_aws.handlers.run", api, tmp_path / "log"),
    ):
        answer = api.call({"job": "drian"})

    assert answer.failed
    assert answer.value["errorType"] == "ConfigError"
    assert "drain" in answer.value["errorMessage"]


def test_without_pip_and_uv_it_says_how_to_get_one(config, tmp_path, monkeypatch):
    monkeypatch.setattr(package, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DeployError, match="needs pip or uv") as caught:
        build(tmp_path, config, HERE)

    assert "ensurepip" in caught.value.next_step


def test_libraries_that_cannot_be_had_are_named(config, tmp_path, monkeypatch):
    monkeypatch.setattr(package, "libraries", lambda *_: {"msgspec": "0.0.0.1"})

    with pytest.raises(DeployError, match=r"msgspec==0\.0\.0\.1"):
        build(tmp_path, config, HERE)
