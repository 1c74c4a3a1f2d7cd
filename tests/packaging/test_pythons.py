"""That the wheel works by itself: on every Python that is here, and with the oldest libraries it allows."""

import re
from pathlib import Path

import pytest

from wheels import ROOT, Environment, found_pythons

pytestmark = pytest.mark.slow
HAVE = "import importlib.metadata as m, sys, tuppence.testing; print(*map(m.version, sys.argv[1:]))"
QUICK = [
    *(f"tests/capture/test_{name}.py" for name in ("client", "frames", "packer", "places")),
    *(
        f"tests/pipeline/test_{name}.py"
        for name in ("asked", "drain", "importer", "records", "seal", "tally")
    ),
]


PYTHONS = found_pythons()
VERSIONS = sorted(PYTHONS, key=lambda version: int(version[2:]))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_works_in_a_clean_environment(version, wheel, tmp_path, record_property):
    environment = Environment(tmp_path, PYTHONS[version])
    environment.install(f"{wheel}[testing]")

    environment.run("python", "-c", "import tuppence, tuppence.testing; tuppence.Client, tuppence.asgi")
    listed = environment.run("tuppence", "providers")
    shown = environment.run("tuppence", "demo", "--events", "300", "--output", tmp_path / "demo")

    assert len(re.findall(r"^local\b", listed, re.MULTILINE)) == 5
    assert Path(shown.split()[-1]).exists()
    record_property("summary", f"the wheel works on Python {version} ({PYTHONS[version]})")


@pytest.fixture
def oldest(wheel, tmp_path):
    """An environment of the oldest Python there is, with the oldest libraries that the metadata allows."""
    environment = Environment(tmp_path, PYTHONS[VERSIONS[0]])
    environment.install(
        "--resolution", "lowest-direct", "--requirements", ROOT / "core/pyproject.toml",
        "--extra", "testing", "hypothesis>=6.130", "pytest-timeout>=2.4",
    )  # fmt: skip
    environment.install("--no-deps", wheel)
    return environment


def test_the_oldest_libraries_that_are_allowed_do(oldest, tmp_path):
    given = (ROOT / "core/pyproject.toml").read_text(encoding="utf-8")
    floors = dict(re.findall(r'^    "([\w-]+)>=([\d.]+)"', given, re.MULTILINE))

    versions = oldest.run("python", "-c", HAVE, *floors).split()
    shown = oldest.run("tuppence", "demo", "--events", "300", "--output", tmp_path / "demo")
    tested = oldest.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *QUICK, cwd=ROOT)

    pairs = zip(floors.values(), versions, strict=True)
    assert [one for one in pairs if not f"{one[1]}.".startswith(f"{one[0]}.")] == []
    assert Path(shown.split()[-1]).exists()
    assert " passed" in tested
