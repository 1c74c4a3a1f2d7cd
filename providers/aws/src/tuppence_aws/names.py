"""The names of what is deployed: made from the project's, and within AWS's alphabets and lengths."""

from __future__ import annotations

from typing import Final

from tuppence.errors import ErrorCode
from tuppence_aws.errors import failure

LONGEST: Final = 64
"""Letters in the name of a function, a role or a schedule group (API references, read November 2026)."""


def named(project: str, part: str, operation: str) -> str:
    """Return `tuppence-<project>-<part>`, or without a part `tuppence-<project>`. Raises `DriverError`."""
    name = "-".join(filter(None, ("tuppence", project, part)))
    if len(name) > LONGEST:
        words = f"{name} has {len(name)} letters, AWS allows {LONGEST}; choose a shorter `project`"
        raise failure(ErrorCode.INVALID, operation, words)
    return name
