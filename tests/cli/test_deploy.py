from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from cli import deploying
from cli.conftest import PATIENCE
from tuppence import plugins
from tuppence.cli.app import COULD_NOT, DONE, USAGE
from tuppence.config import load
from tuppence.runtime import Runtime

pytestmark = pytest.mark.skipif(
    not (shutil.which("terraform") or shutil.which("tofu")), reason="needs terraform or tofu on the PATH"
)


@pytest.fixture(autouse=True)
def deployable(folder, monkeypatch):
    """Give the embedded provider something to deploy."""
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", os.devnull)
    found = plugins.load()
    local = replace(found.providers["local"], deployer="cli.deploying:Deployer")
    with_deployer = replace(found, providers={**found.providers, "local": local})
    monkeypatch.setattr(plugins, "load", lambda: with_deployer)
    wanted(folder, "here", "first", "quick")


@pytest.fixture
def terminal(monkeypatch):
    """Sit someone at a terminal who answers so."""

    def answering(answer):
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: answer)

    return answering


def wanted(folder, place, content, pace):
    (folder / "variables.txt").write_text(f"{place} {content} {pace}", encoding="utf-8")


def state(folder):
    """Return the addresses of what there is, by Terraform's own record."""
    place = folder / ".tuppence/terraform/shop/terraform.tfstate"
    resources = json.loads(place.read_text(encoding="utf-8"))["resources"] if place.exists() else []
    return {f"{one['type']}.{one['name']}" for one in resources}


def changes(result):
    return {(one["action"], one["resource"]) for one in result.json["changes"]}


def test_a_plan_shows_what_would_be_made_and_makes_nothing(tuppence, folder):
    result = tuppence("deploy", "--plan", "--json")

    assert result.status == DONE
    assert changes(result) == {("create", "terraform_data.store"), ("create", "terraform_data.size")}
    assert state(folder) == set()


def test_deploying_makes_everything_sets_the_schedules_and_says_what_came_out(tuppence, folder):
    result = tuppence("deploy", "--yes", "--json")

    assert result.status == DONE
    assert state(folder) == {"terraform_data.store", "terraform_data.size"}
    assert result.json["outputs"]["place"] == "here"
    assert result.json["schedules"] == ["drain", "seal"]
    with Runtime(load(folder / "tuppence.toml")) as runtime:
        assert [one.name for one in runtime.scheduler.schedules()] == ["drain", "seal"]


def test_deploying_again_changes_nothing(tuppence, folder):
    tuppence("deploy", "--yes")

    result = tuppence("deploy", "--yes", "--json")

    assert result.status == DONE
    assert result.json["changes"] == []


def test_what_changes_in_a_resource_that_stays_is_named(tuppence, folder):
    tuppence("deploy", "--yes")
    wanted(folder, "here", "first", "brisk")

    result = tuppence("deploy", "--plan", "--json")

    (change,) = result.json["changes"]
    assert (change["action"], change["resource"], change["loses"]) == ("update", "terraform_data.size", False)
    assert "input" in change["detail"]


def test_what_people_sent_is_not_lost_without_asking(tuppence, folder):
    tuppence("deploy", "--yes")
    wanted(folder, "here", "second", "quick")

    result = tuppence("deploy", "--yes")

    assert result.status == COULD_NOT
    assert "replace terraform_data.store, with all that is in it" in result.stderr


@pytest.mark.parametrize("command", [("deploy", "--plan"), ("destroy", "--yes")])
def test_without_a_configuration_it_is_that_which_is_missing(tuppence, folder, monkeypatch, command):
    (folder / "tuppence.toml").unlink()
    monkeypatch.setenv("PATH", str(folder))

    result = tuppence(*command)

    assert result.status == COULD_NOT
    assert "no configuration" in result.stderr
    assert "tuppence init" in result.stderr
    assert not (folder / ".tuppence").exists()


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_where_nobody_can_be_asked_nothing_is_begun(tuppence, folder, command):
    result = tuppence(command)

    assert result.status == USAGE
    assert "--yes" in result.stderr
    assert not (folder / ".tuppence").exists()


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_who_says_no_changes_nothing(tuppence, folder, terminal, command):
    if command == "destroy":
        tuppence("deploy", "--yes")
    before = state(folder)
    terminal("n")

    result = tuppence(command)

    assert result.status == COULD_NOT
    assert "Nothing was changed." in result.stdout
    assert state(folder) == before


def test_who_says_yes_has_it_done(tuppence, folder, terminal):
    terminal("y")

    result = tuppence("deploy")

    assert result.status == DONE
    assert "created terraform_data.store" in result.stderr
    assert state(folder)


def test_destroying_leaves_nothing_and_says_what_is_kept(tuppence, folder):
    tuppence("deploy", "--yes")

    result = tuppence("destroy", "--yes", "--json")

    assert result.status == DONE
    assert changes(result) == {("delete", "terraform_data.store"), ("delete", "terraform_data.size")}
    assert result.json["kept"] == ["Nothing is kept."]
    assert state(folder) == set()


def test_destroying_what_was_never_made_says_so(tuppence):
    result = tuppence("destroy", "--yes")

    assert result.status == DONE
    assert "nothing to remove" in result.stdout


def test_a_project_is_not_left_behind_by_deploying_it_elsewhere(tuppence, folder):
    tuppence("deploy", "--yes")
    wanted(folder, "elsewhere", "first", "quick")

    result = tuppence("deploy", "--yes")

    assert result.status == COULD_NOT
    assert "in here, not in elsewhere" in result.stderr


def test_two_projects_in_one_folder_do_not_touch_each_other(tuppence, folder, monkeypatch):
    tuppence("deploy", "--yes")
    monkeypatch.setenv("TUPPENCE_PROJECT", "other")

    result = tuppence("deploy", "--plan", "--json")

    assert {action for action, _ in changes(result)} == {"create"}
    assert state(folder)


def test_the_state_moves_to_the_backend_that_is_given(tuppence, folder):
    tuppence("deploy", "--yes")
    kept = folder / "kept.tfstate"
    (folder / "backend.tf").write_text(
        f'terraform {{\n  backend "local" {{\n    path = "{kept}"\n  }}\n}}\n', encoding="utf-8"
    )

    result = tuppence("deploy", "--yes", "--json", "--backend", "backend.tf")

    assert result.status == DONE
    assert result.json["changes"] == []
    assert len(json.loads(kept.read_text(encoding="utf-8"))["resources"]) == 2


def test_what_terraform_refuses_is_said_in_its_words(tuppence, folder):
    backend = folder / "backend.tf"
    backend.write_text('resource "terraform_data" "bad" {\n  count = "no number"\n}\n', encoding="utf-8")

    result = tuppence("deploy", "--plan", "--backend", "backend.tf")

    assert result.status == COULD_NOT
    assert "a number is required" in result.stderr
    assert "run the same command again" in result.stderr


def test_without_terraform_it_is_said_what_to_install(tuppence, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    result = tuppence("deploy", "--plan")

    assert result.status == COULD_NOT
    assert "neither `terraform` nor `tofu`" in result.stderr


def test_a_provider_without_resources_has_nothing_to_deploy(tuppence, monkeypatch):
    found = plugins.load()
    local = replace(found.providers["local"], deployer=None)
    bare = replace(found, providers={"local": local})
    monkeypatch.setattr(plugins, "load", lambda: bare)

    result = tuppence("deploy", "--plan")

    assert result.status == COULD_NOT
    assert "local has nothing to deploy" in result.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_nothing_that_was_made_is_forgotten(tuppence, folder, number):
    wanted(folder, "here", "first", "slow")
    os.mkfifo(folder / "begun")
    process = subprocess.Popen(
        [sys.executable, deploying.__file__, folder / "tuppence.toml"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    (folder / "begun").read_text(encoding="utf-8")  # waits until the slow one writes

    process.send_signal(number)
    process.communicate(timeout=PATIENCE)

    assert process.returncode != 0
    assert {"terraform_data.store", "terraform_data.slow"} <= state(folder)
    assert ("replace", "terraform_data.slow[0]") in changes(tuppence("deploy", "--plan", "--json"))


def test_the_folder_keeps_itself_out_of_version_control(tuppence, folder):
    tuppence("deploy", "--plan")

    assert (folder / ".tuppence/.gitignore").read_text(encoding="utf-8") == "*\n"
