"""What there is to say of the collection: who deletes what has expired, and what is indexed for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tuppence.clock import Deadline
from tuppence.findings import Finding, note, ok, wrong
from tuppence_gcp.findings import looked
from tuppence_gcp.firestore import Field, Firestore

_OPERATION: Final = "store.findings"
_DEPLOY: Final = "`tuppence deploy` mends it."


def findings(firestore: Firestore, deadline: Deadline, *, native_ttl: bool) -> Iterator[Finding]:
    """Look at the field by which documents end, and at the one that holds bodies."""

    def ends(deadline: Deadline) -> Iterator[Finding]:
        yield from _deleting(firestore.field(_OPERATION, "e", deadline), native_ttl=native_ttl)

    def bodies(deadline: Deadline) -> Iterator[Finding]:
        if firestore.field(_OPERATION, "b", deadline).index_config.indexes:
            yield note(
                "bodies are indexed, which takes space that is billed and is good for nothing", _DEPLOY
            )

    return looked(deadline, ends, bodies)


def _deleting(ends: Field, *, native_ttl: bool) -> Iterator[Finding]:
    state = ends.ttl_config.state if ends.ttl_config else ""
    if native_ttl and not state:
        yield wrong(
            "nobody deletes what has expired: `native_ttl` is set, and Firestore has no policy", _DEPLOY
        )
    elif native_ttl:
        yield ok("Firestore deletes what has expired, and bills it")
    elif state:
        detail = "Firestore deletes what has expired, and bills it, though `native_ttl` is not set"
        yield note(detail, f"Set it, or let `purge` delete for nothing: {_DEPLOY}")
    elif not ends.index_config.indexes:
        yield wrong("`purge` finds nothing that has expired: the field `e` is not indexed", _DEPLOY)
    else:
        yield ok("`purge` deletes what has expired")
