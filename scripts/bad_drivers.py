"""Writes docs/reference/bad-drivers.md from the catalogue in tests/suite/bad.

python scripts/bad_drivers.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # whose helpers the catalogue is made of
BAD: Final = import_module("suite.bad")
RUNNING: Final = import_module("suite.running")

PAGE: Final = ROOT / "docs/reference/bad-drivers.md"
INTRODUCTION: Final = """\
# Bad drivers

What the [contract tests](contract-tests.md) find: {count} drivers, each wrong in one way that a real one
could be, and the tests that fail for it. Each is the embedded driver but for its fault. Before you write a
driver, read what others get wrong; when a test of yours fails, look for it here.

`python scripts/bad_drivers.py` writes this page from [the catalogue](../../tests/suite/bad/__init__.py), and
a test holds every one of these drivers to the tests that are named beside it.
"""


def page() -> str:
    """Return the page."""
    kinds: dict[str, list[Any]] = {}
    for entry in BAD.CATALOGUE:
        kinds.setdefault(RUNNING.contract_of(entry)[0].kind.value, []).append(entry)
    parts = [INTRODUCTION.format(count=len(BAD.CATALOGUE))]
    for kind in ("queue", "store", "compute", "scheduler", "mailer"):
        entries = kinds[kind]
        parts.append(f"## {kind.capitalize()}: {len(entries)}\n")
        parts.append(_table(("driver", "what is wrong", "found by"), map(_cells, entries)))
    parts.append("## What no test can tell apart\n")
    parts.append(_table(("what is wrong", "why nothing finds it"), BAD.NOT_TOLD_APART.items()))
    return "\n".join(parts).rstrip("\n") + "\n"


def _cells(entry: Any) -> Iterator[str]:
    yield f"`{entry.__name__}`"
    yield " ".join(entry.__doc__.split())
    yield "<br>".join(f"`{test}`" for test in entry.tests)


def _table(head: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
