from __future__ import annotations

import pytest

from tuppence.cli.app import COULD_NOT, DONE
from tuppence.config import load


def test_the_first_configuration_can_be_read_back(tuppence, folder):
    place = folder / "My Shop!" / "tuppence.toml"
    place.parent.mkdir()

    result = tuppence("init", "--config", place, "--timezone", "Asia/Kathmandu", "--to", 'a"b@example.com')

    config = load(place, environ={})
    assert result.status == DONE
    assert (config.project, config.timezone, config.report.to) == (
        "my-shop",
        "Asia/Kathmandu",
        ['a"b@example.com'],
    )


def test_a_configuration_that_is_there_stays_as_it_is(tuppence, folder):
    before = (folder / "tuppence.toml").read_bytes()

    result = tuppence("init")

    assert result.status == COULD_NOT
    assert "stays as it is" in result.stderr
    assert (folder / "tuppence.toml").read_bytes() == before


def test_a_setting_that_cannot_work_is_refused_before_anything_is_written(tuppence, folder):
    result = tuppence("init", "--config", "new.toml", "--timezone", "Europe/Londn")

    assert result.status == COULD_NOT
    assert "did you mean 'Europe/London'?" in result.stderr
    assert not (folder / "new.toml").exists()


def test_a_provider_that_is_not_installed_is_pointed_out(tuppence):
    result = tuppence("init", "--config", "new.toml", "--provider", "acme")

    assert result.status == DONE
    assert "pip install tuppence-acme" in result.stdout


def test_a_slip_in_a_providers_name_is_refused_before_anything_is_written(tuppence, folder):
    result = tuppence("init", "--config", "new.toml", "--provider", "azur")

    assert result.status == COULD_NOT
    assert "did you mean 'azure'?" in result.stderr
    assert not (folder / "new.toml").exists()


def test_a_time_zone_variable_that_is_no_name_is_passed_over(tuppence, folder, monkeypatch):
    monkeypatch.setenv("TZ", ":/etc/localtime")

    result = tuppence("init", "--config", "new.toml")

    assert result.status == DONE
    assert load(folder / "new.toml", environ={}).timezone


@pytest.mark.parametrize(("provider", "command"), [("local", "doctor"), ("aws", "deploy --plan")])
def test_what_comes_next_depends_on_whether_there_is_something_to_deploy(tuppence, folder, provider, command):
    (folder / "tuppence.toml").unlink()

    result = tuppence("init", "--provider", provider)

    assert f"run `tuppence {command}`" in result.stdout
