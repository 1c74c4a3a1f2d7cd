"""A container's user whom no file lists: no HOME, and no entry for the user id."""

import os
import pwd
from pathlib import Path

import pytest

from tuppence import config as configuration
from tuppence.capture.client import Client
from tuppence.errors import ConfigError
from tuppence.kinds import Kind
from tuppence.local.database import FileOptions

pytestmark = pytest.mark.usefixtures("homeless")


def load(folder, **settings):
    return configuration.load(folder=folder, environ={}, provider="local", project="bot", **settings)


def test_there_is_no_home_to_be_found():
    with pytest.raises(RuntimeError):
        Path.home()
    with pytest.raises(KeyError):
        pwd.getpwuid(os.getuid())


def test_journals_lie_in_the_folder_for_temporary_files(tmp_path, sent):
    with Client(load(tmp_path)) as client:
        assert client.capture("tick") == 1
        assert client.stats.durable
        assert client.flush(30)

    assert list((tmp_path / "tmp").iterdir()) == [tmp_path / "tmp" / f"tuppence-{os.geteuid()}"]
    assert [event.type for event in sent()[1]] == ["tick"]


def test_a_folder_below_a_home_that_is_not_there_is_named_and_events_are_kept_in_memory(
    tmp_path, sent, caplog
):
    with Client(load(tmp_path, capture={"directory": "~/journals"})) as client:
        assert client.capture("tick") == 1
        assert not client.stats.durable
        assert client.flush(30)

    assert "capture.directory = '~/journals': there is no home folder" in caplog.text
    assert [event.type for event in sent()[1]] == ["tick"]
    assert not (tmp_path / "~").exists()


def test_a_driver_whose_file_lies_below_such_a_home_says_so(tmp_path):
    config = load(tmp_path, queue={"path": "~/queue.db"})

    with pytest.raises(ConfigError, match=r"queue\.path = '~/queue\.db': there is no home folder; write the"):
        config.options(Kind.QUEUE, FileOptions)


def test_the_application_goes_on_when_that_driver_is_the_queue(tmp_path):
    config = load(tmp_path, queue={"path": "~/queue.db"}, capture={"directory": "journals"})

    with Client(config) as client:
        assert client.capture("tick") == 1
        assert client.flush(0.1) is False
