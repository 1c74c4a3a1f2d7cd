"""Keyed hashes in place of names: they count people as people without saying who they are.

The key is made once for each project and never leaves its store. Without it, a hash cannot be tried against
a list of names.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from tuppence.clock import Deadline
from tuppence.drivers import Absent, Record
from tuppence.errors import TuppenceError
from tuppence.pipeline import layout
from tuppence.store import Store

KEY_BYTES: Final = 32
_REMEMBERED: Final = 200_000
"""Hashes of one kind kept for the next time; then all are forgotten."""


class Hashes:
    """Hashes names with the project's key: 64 bits of BLAKE2b (RFC 7693), apart by kind of name."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._known: dict[str, dict[str, int]] = {}

    def of(self, kind: str, name: str) -> int:
        """Return the hash of a name of this kind: `user` or `session`."""
        known = self._known.setdefault(kind, {})
        found = known.get(name)
        if found is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            found = known[name] = self.once(kind, name)
        return found

    def once(self, kind: str, name: str) -> int:
        """Return the hash of a name that is not expected again, such as an event's `id`."""
        digest = hashlib.blake2b(name.encode(), digest_size=8, key=self._key, person=kind.encode())
        return int.from_bytes(digest.digest(), "big")


def visitor_hashes(store: Store, project: str, *, deadline: Deadline) -> Hashes:
    """Return the project's hashes; the first to ask makes the key."""
    key = layout.state(project, "visitor-key")
    record = store.get(key, deadline=deadline)
    if record is None:
        store.put(Record(key=key, body=secrets.token_bytes(KEY_BYTES)), condition=Absent(), deadline=deadline)
        record = store.get(key, deadline=deadline)
    if record is None or len(record.body) != KEY_BYTES:
        raise TuppenceError(f"the visitor key of {project} is damaged; restore {key.partition}/{key.sort}")
    return Hashes(record.body)
