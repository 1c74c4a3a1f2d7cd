import os
import pwd
import tempfile

import pytest
from hypothesis import HealthCheck, settings

from emulators import ServiceClock, ministack, moto
from live import (
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_ignore_collect,
    pytest_report_header,
)

__all__ = [
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_ignore_collect",
    "pytest_report_header",
]

for _name in ("CI", "BUILD_NUMBER"):
    # pytest cuts nothing short where it finds them, which for the runs that tests start is slow and unlike
    # what the documentation shows
    os.environ.pop(_name, None)


# how long an example takes says how busy the machine is, and nothing of what it proves
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(scope="session")
def services_clock(tmp_path_factory):
    """Return the clock of the emulators below."""
    return ServiceClock(tmp_path_factory.mktemp("clock") / "ahead")


@pytest.fixture
def service_clock(services_clock):
    """Return the emulators' clock, for a test that moves it."""
    yield services_clock
    services_clock.put_right()


@pytest.fixture(scope="session")
def ministack_url(services_clock):
    with ministack(**services_clock.environment) as url:
        yield url


@pytest.fixture(scope="session")
def moto_url(services_clock):
    with moto(**services_clock.environment) as url:
        yield url


@pytest.fixture
def homeless(monkeypatch, tmp_path):
    """Be a container's user whom no file lists: no HOME, and no entry for the user id."""

    def unknown(_):
        raise KeyError

    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for look_up in ("getpwuid", "getpwnam"):
        monkeypatch.setattr(pwd, look_up, unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()


def pytest_terminal_summary(terminalreporter):
    """Print the line that a test has left for the end with `record_property("summary", …)`."""
    reports = [one for kind in terminalreporter.stats.values() for one in kind]
    lines = [
        value
        for report in reports
        if isinstance(report, pytest.TestReport)
        for name, value in report.user_properties
        if name == "summary" and report.when == "call"
    ]
    if lines:
        terminalreporter.section("what the tests counted")
    for line in lines:
        terminalreporter.write_line(line)
