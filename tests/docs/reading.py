"""Reads the pages."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


def blocks(page):
    """Return each block of a page: its language, the file it is to be written to, if any, and its lines."""
    return [match.groups() for match in FENCE.finditer(page.read_text(encoding="utf-8"))]


def page(name):
    return (ROOT / "docs/reference" / name).read_text(encoding="utf-8")


def section(text, heading):
    """Return what stands below a heading, up to the next one."""
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text):
    """Return the first two cells of each table row that names a key."""
    return dict(re.findall(r"^\| `([^`|]+)` \| ([^|]*) \|", text, re.MULTILINE))


def tables(text):
    """Return the rows of all tables, each as a list of its cells; heads and rules are left out."""
    lines = re.findall(
        r"^\| ?(.*?) ?\|$", re.sub(r"^\|.*\n\| ?-.*$", "", text, flags=re.MULTILINE), re.MULTILINE
    )
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


def names(cell):
    """Return what is marked as code in a cell."""
    return re.findall(r"`([^`]+)`", cell)
