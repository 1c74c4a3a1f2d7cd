"""The environment never stops an application: what its configuration does when it is wrong."""

import logging
import os

import pytest

from tuppence import config
from tuppence.errors import ConfigError

SERVICE_LINKS = {
    "TUPPENCE_PORT": "tcp://10.0.0.9:80",
    "TUPPENCE_PORT_80_TCP": "tcp://10.0.0.9:80",
    "TUPPENCE_PORT_80_TCP_ADDR": "10.0.0.9",
    "TUPPENCE_PORT_80_TCP_PORT": "80",
    "TUPPENCE_PORT_80_TCP_PROTO": "tcp",
    "TUPPENCE_SERVICE_HOST": "10.0.0.9",
    "TUPPENCE_SERVICE_PORT": "80",
    "TUPPENCE_SERVICE_PORT_HTTP": "80",
    "TUPPENCE_WORKER_PORT": "udp://10.0.0.8:53",
    "TUPPENCE_WORKER_SERVICE_HOST": "10.0.0.8",
}
"""What the kubelet sets for the Services `tuppence` and `tuppence-worker`."""


@pytest.fixture(autouse=True)
def _nothing_logged_yet():
    config._log_once.cache_clear()


@pytest.fixture
def load(tmp_path):
    """Load an application's configuration from this file and environment."""

    def load(content='provider = "local"\n', environ=None, **settings):
        file = tmp_path / "tuppence.toml"
        if isinstance(content, bytes):
            file.write_bytes(content)
        elif content is not None:
            file.write_text(content)
        return config.load_for_application(folder=tmp_path, environ=environ or {}, **settings)

    return load


def test_variables_of_kubernetes_services_are_ignored_by_every_program(tmp_path):
    (tmp_path / "tuppence.toml").write_text('provider = "local"\n')

    read = config.load(folder=tmp_path, environ={**SERVICE_LINKS, "TUPPENCE_PROJECT": "mybot"})

    assert read.project == "mybot"
    assert set(read.ignored) == SERVICE_LINKS.keys()


@pytest.mark.parametrize("name", ["TUPPENCE_PORT", "TUPPENCE_WORKER_PORT"])
def test_a_port_that_is_no_address_is_not_taken_for_a_service_link(name):
    with pytest.raises(ConfigError, match=name.removeprefix("TUPPENCE_").lower()):
        config.load(environ={name: "8000"})


def test_a_nested_setting_is_never_taken_for_a_service_link():
    read = config.load(environ={"TUPPENCE_MAILER__PORT": "25", "TUPPENCE_MAILER__SERVICE_HOST": "x"})

    assert read.ignored == ()


def test_what_names_no_setting_is_ignored_by_an_application_and_logged_once(load, caplog):
    for _ in range(3):
        read = load('titel = "a"\n[capture]\nredct = false\n', {"TUPPENCE_DEBUG": "1"})

    assert read.problem == ""
    assert read.project == "default"
    assert read.capture.redact
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 3
    for key, record in zip(("titel", "capture.redct", "debug"), caplog.records, strict=True):
        assert f"unknown key `{key}`" in record.getMessage()


@pytest.mark.parametrize(
    ("content", "environ", "reason"),
    [
        ("provider = ", {}, "not valid TOML"),
        ('project = "My Bot"\n', {}, "project"),
        ("[capture]\njournal_bytes = 'much'\n", {}, "journal_bytes"),
        (b"\xff\xfep\x00r\x00", {}, "not UTF-8"),
        ('provider = "local"\n', {"TUPPENCE_STORE": "x"}, "must be a table"),
        ('provider = "local"\n', {"TUPPENCE_CONFIG": "nowhere.toml"}, "no such file"),
        ('projct = "shop"\n', {}, "did you mean `project`"),
        ('[queu]\npath = "shop.db"\n', {}, "did you mean `queue`"),
        ('provider = "local"\n', {"TUPPENCE_PROVIDR": "aws"}, "TUPPENCE_PROVIDR: unknown key"),
        ('provider = "local"\n', {"TUPPENCE_PROJECT": "My Shop"}, "use 1 to 48"),
    ],
)
def test_what_cannot_be_used_is_a_problem_and_no_exception(load, caplog, content, environ, reason):
    problem = load(content, environ).problem
    load(content, environ)

    assert reason in problem
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert problem in record.getMessage()
    assert "Nothing is captured" in record.getMessage()


def test_a_folder_in_the_files_place_is_named(load, tmp_path):
    (tmp_path / "tuppence.toml").mkdir()

    assert "a folder, not a file" in load(None).problem


def test_a_working_directory_that_is_gone_stops_nobody(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert "working directory" in config.load_for_application(environ={}).problem
    os.chdir(tmp_path)


def test_what_the_application_itself_gives_wrongly_raises(load):
    with pytest.raises(ConfigError, match="did you mean `project`"):
        load(projct="a")
    with pytest.raises(ConfigError, match="project"):
        load(project="My Bot")


def test_the_byte_order_mark_is_no_part_of_the_file(load):
    read = load(b'\xef\xbb\xbfproject = "mybot"\n')

    assert (read.project, read.problem) == ("mybot", "")


@pytest.mark.parametrize(
    "text",
    [
        '[ tool.tuppence ]\nproject = "mybot"',
        '[tool]\ntuppence = {project = "mybot"}',
        '[tool."tuppence"]\nproject = "mybot"',
        'tool.tuppence.project = "mybot"',
        '\ufeff[tool.tuppence]\nproject = "mybot"',
    ],
)
def test_every_spelling_of_the_table_in_pyproject_is_found(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")

    read = config.load(folder=tmp_path, environ={})

    assert (read.source, read.project) == (tmp_path / "pyproject.toml", "mybot")


def test_a_pyproject_that_only_depends_on_tuppence_is_passed_over(tmp_path):
    inner = tmp_path / "app"
    inner.mkdir()
    (inner / "pyproject.toml").write_text('[project]\nname = "app"\ndependencies = ["tuppence"]\n')
    (tmp_path / "tuppence.toml").write_text('project = "mybot"\n')

    assert config.load(folder=inner, environ={}).source == tmp_path / "tuppence.toml"


def test_a_table_that_is_none_is_named(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool]\ntuppence = "yes"\n')

    with pytest.raises(ConfigError, match="must be a table"):
        config.load(folder=tmp_path, environ={})


@pytest.mark.parametrize(
    ("content", "environ", "word"),
    [
        ("[report]\nschedule = 'often'\n", {}, "report.schedule"),
        ("[retention]\nevents = '1s'\n", {}, "retention.events"),
        ("timezone = 'Europe/Londn'\n", {}, "timezone"),
        ("budget = 5\n", {}, "budget"),
        ("", {"TUPPENCE_PIPELINE__EVERY": "soon"}, "TUPPENCE_PIPELINE__EVERY: pipeline.every"),
        ("", {"TUPPENCE_PROJECT_ID": "x"}, "TUPPENCE_PROJECT_ID: unknown key"),
        ("", {"TUPPENCE_STOR__PATH": "x"}, "TUPPENCE_STOR__PATH: unknown key"),
        ("", {"TUPPENCE_PORT": "tcp://10.0.0.9:80"}, "TUPPENCE_PORT"),
    ],
)
def test_what_a_client_does_not_use_is_ignored_and_logged_once(load, caplog, content, environ, word):
    own = 'project = "shop"\nprovider = "local"\n'

    read = load(own + content, environ)
    load(own + content, environ)

    assert (read.project, read.provider, read.problem) == ("shop", "local", "")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert word in record.getMessage()


def test_the_retention_of_a_variable_is_judged_with_that_of_the_file(tmp_path):
    (tmp_path / "tuppence.toml").write_text("[retention]\nrollups = '1000d'\n")

    read = config.load(folder=tmp_path, environ={"TUPPENCE_RETENTION__EVENTS": "900d"})

    assert read.retention.events.days == 900


@pytest.mark.parametrize("content", ["provider = ", '[report]\nschedule = "often"\n'])
def test_clients_that_are_switched_off_log_nothing(load, caplog, content):
    load(content, {"TUPPENCE_DISABLED": "1", "TUPPENCE_PORT": "tcp://10.0.0.9:80"})

    assert not caplog.records


def test_a_link_to_nowhere_in_the_files_place_is_named(load, tmp_path):
    (tmp_path / "tuppence.toml").symlink_to("nowhere")

    assert "no such file" in load(None).problem


def test_a_command_is_told_which_variable_is_wrong(tmp_path):
    environ = {"TUPPENCE_CAPTURE__REDACT": "maybe", "TUPPENCE_PROJECT": "shop"}

    with pytest.raises(ConfigError, match=r"^TUPPENCE_CAPTURE__REDACT: capture\.redact: expected `bool`"):
        config.load(folder=tmp_path, environ=environ)
