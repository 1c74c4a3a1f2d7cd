"""What is in the wheel and in the source distribution, and what they say of themselves."""

import re
import tarfile
import zipfile
from email.parser import Parser

import pytest

from wheels import ROOT, build

pytestmark = pytest.mark.slow
SOURCES = ROOT / "core" / "src"
STRAY = re.compile(
    r"(^|/)(tests?|docs|fuzz|benchmarks)/|\.py[co]$|__pycache__|\.egg-info|(^|/)\.(?!gitignore$)"
)


@pytest.fixture(scope="module")
def members(wheel):
    """Return the wheel's files and their content."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(members):
    [content] = [members[name] for name in members if name.endswith(".dist-info/METADATA")]
    return Parser().parsestr(content.decode())


def test_the_wheel_holds_all_of_the_package_and_nothing_else(members):
    sources = {path.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("*") if path.is_file()}
    wanted = {name for name in sources if "__pycache__" not in name}

    assert {name for name in members if ".dist-info/" not in name} == wanted
    assert {"tuppence/py.typed", "tuppence/testing/queue.py"} <= wanted


def test_neither_distribution_holds_a_stray_file(members, distributions):
    with tarfile.open(distributions[".gz"]) as archive:
        packed = [name.partition("/")[2] for name in archive.getnames()]

    assert [name for name in (*members, *packed) if STRAY.search(name)] == []


def test_no_file_names_a_folder_of_this_machine(members):
    named = re.compile(rb"/(home|root|tmp|Users|builds?)/|" + re.escape(str(ROOT).encode()))

    assert [name for name, content in members.items() if named.search(content)] == []


def test_the_same_sources_give_the_same_wheel_also_without_the_source_distribution(wheel, tmp_path):
    again = build(tmp_path / "again", "--wheel")

    assert again[".whl"].read_bytes() == wheel.read_bytes()


def test_the_metadata_says_what_it_is_and_under_which_licence(metadata, members):
    assert (metadata["Name"], metadata["License-Expression"]) == ("tuppence", "MIT")
    assert metadata["License-File"] == "LICENSE"
    [licence] = [content for name, content in members.items() if name.endswith("licenses/LICENSE")]
    assert licence == (ROOT / "LICENSE").read_bytes()


def test_the_readme_is_markdown_that_needs_nothing_beside_it(metadata):
    targets = re.findall(r"\]\(([^)]+)\)", metadata.get_payload())

    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip() == (ROOT / "core/README.md").read_text(encoding="utf-8").strip()
    assert [target for target in targets if not target.startswith("https://")] == []


def test_the_classifiers_begin_with_the_oldest_python_that_is_allowed(metadata):
    versions = re.findall(r"Python :: 3\.(\d+)", " ".join(metadata.get_all("Classifier")))

    assert f"3.{min(map(int, versions))}" == metadata["Requires-Python"].removeprefix(">=")
    assert [int(version) for version in versions] == list(range(11, 11 + len(versions)))
