"""The package: what is in it, that it is the same each time, and that Microsoft's library runs it alone."""

import json
import os
import zipfile
from datetime import timedelta

import pytest

from azure.apps import every_minute, settings_of, worker
from emulators import UV
from tuppence import package
from tuppence.config import load
from tuppence.drivers import Kind, Message
from tuppence_azure import package as module
from tuppence_azure.messages import text_of
from tuppence_azure.package import LIBRARIES, build, python

pytestmark = pytest.mark.slow

SPAN = timedelta(minutes=15)
CONFIGURATION = {
    "provider": "local",
    "project": "mybot",
    "compute": {"provider": "azure"},
    "pipeline": {"trigger": "event"},
}
QUEUES = {
    "storage": {"service": "storage", "account": "mybot"},
    "service_bus": {"service": "service_bus", "namespace": "mybotspace"},
}
"""Which the functions are told of, and do not call: a message is handed to them."""


@pytest.fixture(scope="module", params=QUEUES)
def config(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("configured")
    store = {"path": str(place / "tuppence.db")}
    queue = {"provider": "azure", **QUEUES[request.param]}
    return load(folder=place, environ={}, **CONFIGURATION, store=store, queue=queue)


@pytest.fixture(scope="module", autouse=True)
def _tools():
    """Have uv on the path, as those who work in the checkout need not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(UV.parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def built(config, tmp_path_factory):
    return build(tmp_path_factory.mktemp("built"), config, SPAN)


def test_the_same_versions_are_the_same_bytes_under_the_same_name(built, config, tmp_path):
    again = build(tmp_path, config, SPAN)

    assert (again.name, again.read_bytes()) == (built.name, built.read_bytes())


def test_it_holds_what_functions_use_and_no_more(built):
    names = zipfile.ZipFile(built).namelist()

    inside = {name.removeprefix(f"{LIBRARIES}/") for name in names if name.startswith(LIBRARIES)}
    packages = {name.partition("/")[0] for name in inside}
    assert {name for name in names if "/" not in name} == {"function_app.py", "host.json", "tuppence.toml"}
    assert {"tuppence", "tuppence_azure", "azure", "msgspec"} <= packages
    assert not packages & {"rich", "click", "pytest", "tuppence_aws"}
    assert not [
        name for name in inside if name.startswith(("tuppence_azure/terraform", "tuppence_azure/deploy"))
    ]
    assert built.stat().st_size < 25_000_000


def test_what_the_host_is_told_keeps_messages_as_they_are_and_an_idle_queue_cheap(built):
    told = json.loads(zipfile.ZipFile(built).read("host.json"))

    assert told["functionTimeout"] == "00:15:00"
    assert told["extensions"]["queues"]["messageEncoding"] == "none"
    assert told["extensions"]["queues"]["maxPollingInterval"] == "00:01:00"
    assert told["extensions"]["serviceBus"]["autoCompleteMessages"]


@pytest.mark.parametrize(("version", "expected"), [("1.26.0", "3.12"), ("2.3.0", "3.13")])
def test_the_python_is_one_that_microsofts_library_is_for(monkeypatch, version, expected):
    monkeypatch.setattr(module, "version", lambda _: version)

    assert python() == expected


@pytest.fixture(scope="module")
def unpacked(config, runtime, tmp_path_factory):
    """Unpack the package, built for the Python that the library is for, and without what it brings itself."""
    _, version = runtime
    all_of = package.libraries

    def others(config, platform):
        return {name: told for name, told in all_of(config, platform).items() if name != "azure-functions"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "python", lambda: version)
        patch.setattr(package, "libraries", others)
        path = build(tmp_path_factory.mktemp("for"), config, SPAN)
    root = tmp_path_factory.mktemp("app")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(root)
    return root


@pytest.fixture
def app(runtime, unpacked):
    with worker(runtime[0], unpacked, settings_of(*every_minute("drian", "seal"))) as app:
        yield app


def test_microsofts_library_finds_each_function_and_what_calls_it(app, config):
    timers = {name: found["schedule"] for name, found in app.bindings.items() if name != "consume"}
    called = app.bindings["consume"]

    assert timers == {"timer-drian": "%TUPPENCE_TIMER_DRIAN%", "timer-seal": "%TUPPENCE_TIMER_SEAL%"}
    assert (called["queueName"], called["connection"]) == ("tuppence-mybot", "EVENTS")
    assert (
        called["type"]
        == {"storage": "queueTrigger", "service_bus": "serviceBusTrigger"}[
            config.kinds[Kind.QUEUE]["service"]
        ]
    )


def test_a_message_is_stored_by_it_and_an_hour_sealed(app, config):
    message = Message(id="m1", body=b'{"id": "e1", "type": "signup", "time": "2026-11-16T09:00:00Z"}')
    storage = app.bindings["consume"]["type"] == "queueTrigger"

    app.store_text(text_of(message)) if storage else app.store_message(message)
    app.fire("seal")


def test_what_a_function_raises_is_a_failure_to_it(app):
    with pytest.raises(RuntimeError, match="there is no job 'drian'"):
        app.fire("drian")
