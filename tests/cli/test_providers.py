from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from tuppence import plugins
from tuppence.cli.app import DONE
from tuppence.drivers import Kind
from tuppence.hookspecs import API, Provider, hookimpl


class Acme:
    """A provider whose package is installed without its SDK."""

    @hookimpl
    def tuppence_provider(self):
        return Provider(name="acme", api=API, drivers={Kind.QUEUE: "acme_sdk_that_is_not_there:Queue"})


class Choosy:
    """A provider with two services for one kind."""

    @hookimpl
    def tuppence_provider(self):
        services = dict.fromkeys(("files", "more"), "tuppence.local.queue:LocalQueue")
        return Provider(name="choosy", api=API, drivers={Kind.QUEUE: services})


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
    assert queue["features"] == []
    assert queue["limits"]["batch_items"] > 1
    assert {d["kind"] for d in result.json["drivers"] if d["provider"] == "local"} == set(Kind)


def test_each_service_of_a_kind_is_listed(tuppence, installed, monkeypatch):
    monkeypatch.setattr("tuppence.local.plugin.choosy", Choosy(), raising=False)
    installed(EntryPoint("choosy", "tuppence.local.plugin:choosy", "tuppence"))

    result = tuppence("providers")

    assert result.status == DONE
    assert "choosy\tqueue (files)\t" in result.stdout
    assert "choosy\tqueue (more)\t" in result.stdout


def test_a_plugin_that_cannot_be_loaded_is_named_with_the_reason(tuppence, installed):
    installed(EntryPoint("broken", "no_such_module_anywhere", "tuppence"))

    result = tuppence("providers")

    assert result.status == DONE
    assert "broken\t\tbroken, left out: ModuleNotFoundError: No module named" in result.stdout


def test_a_driver_that_cannot_be_imported_is_named_beside_those_that_can(tuppence, installed, monkeypatch):
    monkeypatch.setattr("tuppence.local.plugin.acme", Acme(), raising=False)
    installed(
        EntryPoint("local", "tuppence.local.plugin", "tuppence"),
        EntryPoint("acme", "tuppence.local.plugin:acme", "tuppence"),
    )

    result = tuppence("providers")

    assert result.status == DONE
    assert "acme: cannot load its queue" in result.stdout
    assert "local\tqueue\t" in result.stdout


def test_an_installed_plugin_that_raises_leaves_every_other_provider_working(script, monkeypatch, tmp_path):
    (tmp_path / "broken_plugin.py").write_text("raise RuntimeError('no such driver')\n")
    metadata = tmp_path / "broken-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[tuppence]\nbroken = broken_plugin\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    listed, drained = script("providers"), script("drain")
    monkeypatch.setenv("TUPPENCE_PROVIDER", "broken")
    asked = script("drain")

    assert "RuntimeError: no such driver" in listed.stdout
    assert "local\tqueue\t" in listed.stdout
    assert (listed.status, drained.status, asked.status) == (0, 0, 1)
    assert "installed but broken: RuntimeError: no such driver" in asked.stderr
