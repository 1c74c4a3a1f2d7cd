"""Builds the site as `make docs` does, and looks at it as a browser without a network would."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytestmark = pytest.mark.slow  # it builds the whole site

ROOT = Path(__file__).parents[2]
LOADING = {"src", "srcset", "poster", "data"}
"""Attributes whose address a browser fetches unasked; `href` is one of them on <link>."""
ELSEWHERE = re.compile(r"(?i)^\s*(https?:)?//")


class Page(HTMLParser):
    """What a page loads, where it leads to, and where it can be led to."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.links, self.anchors = [], [], {""}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in LOADING or (tag == "link" and name == "href"):
                self.loads.append(value)
            elif name == "href":
                self.links.append(value)
            elif name == "id":
                self.anchors.add(value)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "sphinx", "-q", "--fail-on-warning", "--nitpicky", "-c", "docs"]
    done = subprocess.run(
        [*build, "-d", str(folder / "trees"), ".", str(folder / "site")],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site):
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_of_the_repository_is_on_the_site(site):
    sources = {path.relative_to(ROOT).with_suffix(".html") for path in ROOT.glob("docs/**/*.md")}

    assert {path for path in sources if not (site / path).is_file()} == set()


def test_reading_the_site_asks_nothing_of_any_other_host(site, pages):
    styles = [path.read_text(encoding="utf-8") for kind in ("css", "svg") for path in site.rglob(f"*.{kind}")]
    loaded = [address for page in pages.values() for address in page.loads]
    loaded += [address for text in styles for address in re.findall(r"""url\(['"]?([^'")]+)""", text)]
    loaded += [address for text in styles for address in re.findall(r"""@import\s+['"]([^'"]+)""", text)]

    assert loaded
    assert [address for address in loaded if ELSEWHERE.match(address)] == []


def test_links_within_the_site_lead_to_what_is_there(pages):
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loads]:
            address, anchor = urldefrag(link)
            if ":" in address or ELSEWHERE.match(address):
                continue
            target = (path.parent / unquote(address).partition("?")[0]).resolve() if address else path
            known = pages[target].anchors if target in pages else {anchor}
            if not target.is_file() or unquote(anchor) not in known:
                broken.append(f"{path.name} links to {link}")

    assert broken == []


def test_the_first_page_leads_to_all_others_in_its_navigation(site, pages):
    first = pages[site / "docs/index.html"]

    addresses = {urldefrag(link)[0] or "index.html" for link in first.links if ":" not in link}
    reached = {(site / "docs" / address).resolve() for address in addresses}
    sources = {site / path.relative_to(ROOT).with_suffix(".html") for path in ROOT.glob("docs/**/*.md")}
    assert sources <= reached


def test_the_search_finds_every_page_without_a_server(site):
    index = (site / "searchindex.js").read_text(encoding="utf-8")

    assert "searchindex.js" in (site / "search.html").read_text(encoding="utf-8")
    for path in ROOT.glob("docs/**/*.md"):
        assert f'"{path.relative_to(ROOT).with_suffix("")}"' in index


def test_each_index_says_in_a_sentence_what_its_pages_are_for():
    for index in ROOT.glob("docs/*/index.md"):
        entries = re.findall(r"^- \[.+?\]\((\S+)\): \S.*", index.read_text(encoding="utf-8"), re.MULTILINE)

        assert sorted(entries) == sorted(path.name for path in index.parent.glob("*.md") if path != index)
