from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from tuppence import plugins
from tuppence.cli.app import COULD_NOT, DONE
from tuppence.drivers import Kind
from tuppence.hookspecs import API, Provider, hookimpl


class Acme:
    """A provider whose package is installed without its SDK."""

    @hookimpl
    def tuppence_provider(self):
        return Provider(name="acme", api=API, drivers={Kind.QUEUE: "acme_sdk_that_is_not_there:Queue"})


@pytest.fixture
def installed(monkeypatch):
    """Have exactly these entry points installed."""

    def only(*entries):
        found = plugins.load(entries)
        monkeypatch.setattr(plugins, "load", lambda: found)

    return only


def test_the_embedded_provider_is_listed_with_its_features_and_limits(tuppence):
    result = tuppence("providers", "--json")

    queue = next(d for d in result.json["drivers"] if (d["provider"], d["kind"]) == ("local", "queue"))
    assert result.status == DONE
    assert "ordered" in queue["features"]
    assert queue["limits"]["batch_items"] > 1
    assert {d["kind"] for d in result.json["drivers"] if d["provider"] == "local"} == set(Kind)


def test_a_plugin_that_cannot_be_loaded_is_named_with_the_reason(tuppence, installed):
    installed(EntryPoint("broken", "no_such_module_anywhere", "tuppence"))

    result = tuppence("providers")

    assert result.status == COULD_NOT
    assert "broken is broken and left out: ModuleNotFoundError: No module named" in result.stderr


def test_a_driver_that_cannot_be_imported_is_named_beside_those_that_can(tuppence, installed, monkeypatch):
    monkeypatch.setattr("tuppence.local.plugin.acme", Acme(), raising=False)
    installed(
        EntryPoint("local", "tuppence.local.plugin", "tuppence"),
        EntryPoint("acme", "tuppence.local.plugin:acme", "tuppence"),
    )

    result = tuppence("providers")

    assert result.status == COULD_NOT
    assert "acme: cannot load its queue" in result.stdout
    assert "local\tqueue\t" in result.stdout
