"""Runs what the documentation shows, page by page, as a reader would who types all of it in."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass

import pytest

from docs.reading import ROOT, blocks
from tuppence import plugins
from tuppence.config import load
from tuppence.drivers import Kind

PAGES = [ROOT / "README.md", ROOT / "core/README.md", *sorted(ROOT.glob("docs/**/*.md"))]
INSTALLING = [page for page in PAGES if "\n$ pip install" in page.read_text(encoding="utf-8")]
"""Pages that want an environment they may change."""
PATIENCE = 120
PRELUDE = """
text, user_id, sid = "Do you deliver to Cork?", "u1", "s1"

def bot(text):
    return "Not yet."

async def app(scope, receive, send):
    pass
"""


@dataclass(frozen=True)
class Command:
    line: str
    shown: str


def commands(block):
    """Split a console block into its commands, each with the output shown below it."""
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
    assert not parts[0], f"a console block begins with a command: {block!r}"
    return [Command(*part.partition("\n")[::2]) for part in parts[1:]]


def as_pattern(shown):
    """Return what matches the shown output; `…` stands for anything, over lines where it stands alone."""
    lines = [
        r"[\s\S]*?" if line == "…" else re.escape(line).replace("…", ".*?")
        for line in shown.rstrip("\n").splitlines()
    ]
    return "\n".join(lines)


def execute(arguments, folder, environment):
    return subprocess.run(
        arguments,
        check=False,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        timeout=PATIENCE,
    )


def run_console(block, folder, environment):
    for command in commands(block):
        done = execute(["/bin/sh", "-c", command.line], folder, environment)

        expected = 1 if re.search(r"^(Error: |FAILED |line \d|wrong)", command.shown, re.MULTILINE) else 0
        assert done.returncode == expected, f"{command.line}\n{done.stdout}"
        if command.shown.strip():
            pattern = as_pattern(command.shown)
            assert re.search(f"^{pattern}$", done.stdout, re.MULTILINE), f"{command.line}\n{done.stdout}"


def run_python(block, folder, environment):
    done = execute(["python", "-W", "error", "-c", PRELUDE + block], folder, environment)

    assert done.returncode == 0, done.stdout


def run_toml(block, folder, environment):
    """Write the file as a reader would, and check each driver's options too."""
    place = folder / "tuppence.toml"
    place.write_text(block, encoding="utf-8")
    config = load(place, environ=environment)
    found = plugins.load()
    for kind in Kind:
        if config.provider_of(kind) in found.providers:
            driver = found.driver_class(kind, config.provider_of(kind), config.service_of(kind))
            config.options(kind, driver.Options, chosen_by=("provider", "service"))


def write_file(block, place):
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(block, encoding="utf-8")


RUNNERS = {"console": run_console, "python": run_python, "toml": run_toml}


def run_page(page, folder, environment):
    for language, file, block in blocks(page):
        if file:
            write_file(block, folder / file)
        elif language in RUNNERS:
            RUNNERS[language](block, folder, environment)


def name_of(page):
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if page not in INSTALLING], ids=name_of)
def test_what_the_page_shows_works(page, tmp_path, environment):
    run_page(page, tmp_path, environment)


@pytest.mark.slow
@pytest.mark.parametrize("page", INSTALLING, ids=name_of)
def test_what_the_page_installs_works(page, tmp_path, own_environment):
    run_page(page, tmp_path, own_environment)


def test_no_page_shows_a_block_that_is_neither_run_nor_written():
    shown = {
        f"{page.relative_to(ROOT)}: {line}"
        for page in PAGES
        for line in re.findall(r"^```.+$", page.read_text(encoding="utf-8"), re.MULTILINE)
        if not re.fullmatch(r'```(console|python|toml)|```\w+ title="[^"]+"', line)
    }

    assert shown == set()


def test_a_file_that_a_page_shows_is_named_in_its_text():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        said = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        unnamed = [file for _, file, _ in blocks(page) if file and f"`{file}`" not in said]
        assert unnamed == [], page.relative_to(ROOT)


def test_links_between_pages_lead_somewhere():
    for page in PAGES + [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


@pytest.mark.parametrize(
    ("shown", "printed", "matches"),
    [
        ("Wrote …/x.toml\n", "Wrote /tmp/x.toml", True),
        ("first\n…\nlast\n", "first\na\nb\nlast", True),
        ("3 events\n", "13 events (new)", False),
        ("Wrote …\n", "Wrot", False),
    ],
)
def test_the_shown_output_is_really_compared(shown, printed, matches):
    assert bool(re.search(f"^{as_pattern(shown)}$", printed, re.MULTILINE)) is matches
