"""A pytest plugin that writes what the contracts found, for the provider matrix.

    pytest -p tuppence.testing.results --contract-results FILE

The file is JSON: for each suite whose driver it is, what the driver claims, what the contract promises, and
each test's outcome. Tests of the provider's own are left out. It works under pytest-xdist too.
"""

from __future__ import annotations

import platform
from collections.abc import Generator, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

import tuppence
from tuppence import plugins
from tuppence.drivers import Driver, Kind
from tuppence.hookspecs import Provider
from tuppence.testing.contract import Contract
from tuppence.testing.guard import contract_tests

FORMAT: Final = 1
OUTCOMES: Final = ("passed", "failed", "xfailed", "xpassed", "skipped")
_PROPERTY: Final = "tuppence.contract"


class Suite(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One contract class of a provider, and how it went.

    Attributes:
        name: the class's.
        kind: of the driver.
        provider: who has declared the driver, or what the class calls itself.
        counterpart: what it ran against, in the class's own words.
        driver, features, limits: of the driver that was tested.
        distribution: name and version of the package the driver came in.
        declared: the kinds the provider offers.
        promises: the contract's tests by what they are about; one without an outcome was not run.
        passed: names of tests, with their parameters.
        failed, xfailed, xpassed, skipped: likewise, with the reason.

    """

    name: str
    kind: str
    provider: str = ""
    counterpart: str = ""
    driver: str = ""
    features: list[str] = []
    limits: dict[str, int] = {}
    distribution: str = ""
    declared: list[str] = []
    promises: dict[str, list[str]] = {}
    passed: list[str] = []
    failed: dict[str, str] = {}
    xfailed: dict[str, str] = {}
    xpassed: dict[str, str] = {}
    skipped: dict[str, str] = {}


class Run(msgspec.Struct, kw_only=True):
    """What differs from run to run and means nothing for the matrix."""

    finished: str
    python: str


class Results(msgspec.Struct, kw_only=True):
    """What the file holds."""

    format: int = FORMAT
    tuppence: str
    run: Run
    suites: list[Suite]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the file."""
    parser.addoption("--contract-results", metavar="FILE", help="write the contracts' outcomes as JSON")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, where a file is named."""
    path = config.getoption("--contract-results")
    if path:
        config.pluginmanager.register(Recorder(Path(path), writes=not hasattr(config, "workerinput")))


class Recorder:
    """Notes facts where tests run, and outcomes where they are reported; xdist has these in two processes."""

    def __init__(self, path: Path, *, writes: bool) -> None:
        self._path = path
        self._writes = writes
        self._suites: dict[str, Suite] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Send what is known of the suite along with each report."""
        report = yield
        if isinstance(item, pytest.Function) and item.cls is not None and issubclass(item.cls, Contract):
            promised = contract_tests(item.cls)
            if item.originalname in promised:
                report.user_properties.append((_PROPERTY, msgspec.to_builtins(_known(item, promised))))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of a test, or of its set-up or tear-down where that decides."""
        known = dict(report.user_properties).get(_PROPERTY)
        if known is None:
            return
        told = msgspec.convert(known, Suite)
        where = report.nodeid.partition("[")[0].rpartition("::")[0]
        suite = self._suites.setdefault(where, told)
        if told.driver:
            suite.driver, suite.provider = told.driver, told.provider
            suite.features, suite.limits = told.features, told.limits
            suite.distribution, suite.declared = told.distribution, told.declared
        if report.when == "call" or report.outcome != "passed":
            _note(suite, report.nodeid.removeprefix(f"{where}::"), report)

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        if not self._writes:
            return
        results = Results(
            tuppence=tuppence.__version__,
            run=Run(finished=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", python=platform.python_version()),
            suites=sorted(self._suites.values(), key=lambda suite: (suite.provider, suite.kind, suite.name)),
        )
        for suite in results.suites:
            suite.passed.sort()
        encoded = msgspec.json.format(msgspec.json.encode(results, order="sorted"), indent=1)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(encoded + b"\n")


def read(path: Path) -> Results:
    """Return what a file holds. Raises `msgspec.DecodeError` for one of another format."""
    return msgspec.json.decode(path.read_bytes(), type=Results)


def _known(item: pytest.Function, promised: Mapping[str, str]) -> Suite:
    cls = item.cls
    suite = Suite(name=cls.__name__, kind=cls.kind.value, provider=cls.provider, counterpart=cls.counterpart)
    for name, about in promised.items():
        suite.promises.setdefault(about, []).append(name)
    driver = next(_drivers(item), None)
    if driver is not None:
        _describe(suite, driver)
    return suite


def _drivers(item: pytest.Function) -> Iterator[Driver]:
    return (found for found in getattr(item, "funcargs", {}).values() if isinstance(found, Driver))


def _describe(suite: Suite, driver: Driver) -> None:
    suite.driver = f"{type(driver).__module__}:{type(driver).__qualname__}"
    suite.features = sorted(feature.value for feature in driver.features)
    suite.limits = msgspec.to_builtins(getattr(driver, "limits", {}))
    suite.distribution = _distribution(suite.driver.partition(".")[0])
    for provider in _providers():
        if suite.driver in provider.services(Kind(suite.kind)).values():
            suite.provider = suite.provider or provider.name
            suite.declared = sorted(kind.value for kind in provider.drivers)


@cache
def _providers() -> tuple[Provider, ...]:
    return tuple(plugins.load().providers.values())


@cache
def _distribution(package: str) -> str:
    """Return name and version of what installed a provider's package, or nothing."""
    for entry in entry_points(group=plugins.GROUP):
        if entry.value.partition(".")[0] == package and entry.dist is not None:
            return f"{entry.dist.name} {entry.dist.version}"
    return ""


def _note(suite: Suite, test: str, report: pytest.TestReport) -> None:
    expected = getattr(report, "wasxfail", None)
    if report.outcome == "passed" and expected is None:
        suite.passed.append(test)
    elif report.outcome == "passed":
        suite.xpassed[test] = str(expected)
    elif report.outcome == "failed":
        if test in suite.passed:  # what it left behind failed
            suite.passed.remove(test)
        suite.failed[test] = _last_line(report)
    elif expected is not None:
        suite.xfailed[test] = str(expected)
    else:
        suite.skipped[test] = _last_line(report).removeprefix("Skipped: ")


def _last_line(report: pytest.TestReport) -> str:
    """Return why, in the words of whoever raised it."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2]
    crash = getattr(report.longrepr, "reprcrash", None)
    lines = (crash.message if crash is not None else str(report.longrepr)).splitlines()
    return lines[0] if lines else ""
