"""The names of what is deployed: made from the project's, and within Azure's alphabets.

A project's name is short enough for all of them. In one account, projects whose names differ only in `-` and
`_` need names of their own in the configuration.
"""

from __future__ import annotations

import re
from typing import Final

_SIGNS: Final = re.compile(r"[^a-z0-9]+")


def queue_named(project: str) -> str:
    """Return `tuppence-<project>`, of what a Storage Queue may be named: `a-z`, `0-9` and single `-`."""
    return f"tuppence-{_SIGNS.sub('-', project).strip('-')}"


def table_named(project: str) -> str:
    """Return `tuppence<project>`, without the signs that a table's name may not have."""
    return f"tuppence{_SIGNS.sub('', project)}"


def app_named(project: str) -> str:
    """Return `tuppence-<project>`, with which the names of its function apps and their group begin."""
    return queue_named(project)
