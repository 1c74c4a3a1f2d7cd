"""The names of what is deployed: made from the project's, and within Google's alphabets and lengths."""

from __future__ import annotations

from typing import Final

from tuppence.errors import ErrorCode
from tuppence_gcp.errors import failure

LONGEST: Final = 255
"""Letters in the name of a topic or a subscription.

https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names, read November 2026.
"""


def named(project: str, part: str, operation: str) -> str:
    """Return `tuppence-<project>-<part>`, or without a part `tuppence-<project>`. Raises `DriverError`."""
    name = "-".join(filter(None, ("tuppence", project, part)))
    if len(name) > LONGEST:
        words = f"{name} has {len(name)} letters, Google allows {LONGEST}; choose a shorter `project`"
        raise failure(ErrorCode.INVALID, operation, words)
    return name
