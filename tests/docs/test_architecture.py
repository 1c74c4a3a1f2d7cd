"""Holds the map of the code to the code."""

from __future__ import annotations

import re

from docs.reading import ROOT, names, tables

SOURCES = ROOT / "core/src/tuppence"
WHOLE = {"cli", "demo", "testing"}
"""Folders whose files the map does not name."""


def test_the_architecture_names_each_file_and_none_that_is_gone():
    text = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    rooms = tables(text.partition("## The rooms")[2].partition("\n## ")[0])

    named = [
        (re.match(r"`?(\w+/)?", room)[1] or "") + name
        for room, files, _ in rooms
        for name in names(files)
        if not name.endswith("/")
    ]
    there = [
        str(path.relative_to(SOURCES).with_suffix(""))
        for path in SOURCES.rglob("*.py")
        if not path.name.startswith("_") and path.parent.name not in WHOLE
    ]
    assert sorted(named) == sorted(there)
