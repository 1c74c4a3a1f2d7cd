"""How the pages become a site: `make docs`.

The sources are the Markdown files as they lie in the repository, so that a link that works there works here.
An `index.md` lists its pages with a sentence for each. What it links to, in that order, is the navigation, so
no page needs a list that only the site understands.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx

import tuppence

ROOT = Path(__file__).parents[1]
LINK = re.compile(r"\]\(([^)#:]+)\.md\)")
TITLE = re.compile(r'^```(\w+) title="([^"]+)"$', re.MULTILINE)

project = "tuppence"
author = "tuppence's authors"
version = release = tuppence.__version__
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "examples/*/README.md",
]
exclude_patterns = ["**/.*", "**/node_modules", "site"]
extensions = ["myst_parser"]
nitpicky = True
highlight_language = "none"

myst_heading_anchors = 3
myst_links_external_new_tab = True

html_theme = "furo"
html_title = f"tuppence {version}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_show_search_summary = False  # would need a server; the site is also read from a folder
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["_extra"]
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": []}


def navigation(app: Sphinx, docname: str, source: list[str]) -> None:  # noqa: ARG001 - Sphinx's signature
    """Make the links of an index its part of the navigation."""
    page = PurePosixPath(docname)
    if page.name != "index":
        return
    pages = [target for target in dict.fromkeys(LINK.findall(source[0])) if _belongs(page, target)]
    source[0] += "\n\n".join(["", "```{toctree}\n:hidden:", *pages, "```"]).replace("\n\n", "\n")


def titles(app: Sphinx, docname: str, source: list[str]) -> None:  # noqa: ARG001 - Sphinx's signature
    """Show the name of a file above its lines."""
    source[0] = TITLE.sub(r"```{code-block} \1\n:caption: \2", source[0])


def _belongs(page: PurePosixPath, target: str) -> bool:
    """Whether a link leads to a page below an index: below the first are the parts, and what lies outside."""
    if page == PurePosixPath(root_doc):
        return target.endswith("/index") or target.startswith("../")
    return "/" not in target


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the navigation."""
    app.connect("source-read", navigation)
    app.connect("source-read", titles)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
