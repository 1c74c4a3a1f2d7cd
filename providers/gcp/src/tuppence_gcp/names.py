"""The names of what is deployed: made from the project's, and within Google's alphabets and lengths."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Final

from tuppence.errors import ErrorCode
from tuppence_gcp.errors import failure

LONGEST: Final = 255
"""Letters in the name of a topic or a subscription.

https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names, read November 2026.
"""
LONGEST_FUNCTION: Final = 63
"""Letters in the name of a function, which is its service's on Cloud Run.

https://cloud.google.com/run/docs/configuring/services, not verified.
"""
LONGEST_ACCOUNT: Final = 30
"""Letters in the name of a service account, of which it has 6 at least.

https://cloud.google.com/iam/docs/service-accounts-create, not verified.
"""
_FUNCTION: Final = re.compile("[a-z]([a-z0-9-]*[a-z0-9])?")
LONGEST_BUCKET: Final = 63
"""Letters in the name of a bucket, which no other in the world has.

https://cloud.google.com/storage/docs/buckets#naming, not verified.
"""
_DIGEST_BYTES: Final = 4


def named(project: str, part: str, operation: str) -> str:
    """Return `tuppence-<project>-<part>`, or without a part `tuppence-<project>`. Raises `DriverError`."""
    name = "-".join(filter(None, ("tuppence", project, part)))
    if len(name) > LONGEST:
        words = f"{name} has {len(name)} letters, Google allows {LONGEST}; choose a shorter `project`"
        raise failure(ErrorCode.INVALID, operation, words)
    return name


def function_named(project: str, part: str, operation: str) -> str:
    """Return the name of a function, in the letters of an address. Raises `DriverError`."""
    name = f"tuppence-{project}-{part}"
    if len(name) > LONGEST_FUNCTION or not _FUNCTION.fullmatch(name):
        words = (
            f"{name} cannot be a function's name, which is {LONGEST_FUNCTION} of a-z, 0-9 and -; "
            f"choose another `project`"
        )
        raise failure(ErrorCode.INVALID, operation, words)
    return name


def account_named(project: str, part: str) -> str:
    """Return the name of a service account. It holds a digest where the project would make it too long."""
    name = f"tuppence-{project}-{part}"
    if len(name) <= LONGEST_ACCOUNT and _FUNCTION.fullmatch(name):
        return name
    return f"tuppence-{_digest(project)}-{part}"


def account_of(name: str, place: str) -> str:
    """Return the address of a service account in one of Google's projects."""
    return f"{name}@{place}.iam.gserviceaccount.com"


def bucket_named(project: str, part: str, place: str) -> str:
    """Return the name of a bucket in one of Google's projects."""
    name = f"{place}-tuppence-{project}-{part}"
    if len(name) <= LONGEST_BUCKET and ":" not in name:
        return name
    return f"tuppence-{_digest(f'{place} {project}')}-{part}"


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=_DIGEST_BYTES).hexdigest()
