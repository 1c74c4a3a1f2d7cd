"""Keyed hashes in place of names: they count people as people without saying who they are.

The key is made once for each project and never leaves its store. Without it, a hash cannot be tried against
a list of names.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from typing import Final

from tuppence.clock import Deadline
from tuppence.drivers import Absent, Record
from tuppence.errors import TuppenceError
from tuppence.pipeline import layout
from tuppence.store import Store

KEY_BYTES: Final = 32
_REMEMBERED: Final = 200_000
"""Hashes kept for the next time; beyond it, they are forgotten before the next hour."""


class Names(dict[str | None, int | None]):
    """The hashes of one kind of name, made when first asked for; `None` has none."""

    def __init__(self, key: bytes, kind: str) -> None:
        super().__init__({None: None, "": None})
        self._begun = hashlib.blake2b(digest_size=8, key=key, person=kind.encode())

    def __missing__(self, name: str) -> int:
        found = self[name] = self.once(name)
        return found

    def once(self, name: str) -> int:
        """Return the hash of a name that is not expected again, such as a session or an event's `id`."""
        digest = self._begun.copy()
        digest.update(name.encode())
        return int.from_bytes(digest.digest(), "big")

    def of(self, names: Iterable[str | None]) -> list[int | None]:
        """Return the hashes of these names."""
        return list(map(self.__getitem__, names))

    def trim(self) -> None:
        """Forget all names when they have become too many."""
        if len(self) > _REMEMBERED:
            self.clear()
            self.update({None: None, "": None})


class Hashes:
    """Hashes names with the project's key: 64 bits of BLAKE2b (RFC 7693), apart by kind of name."""

    def __init__(self, key: bytes) -> None:
        self.users = Names(key, "user")
        self.sessions = Names(key, "session")
        self.ids = Names(key, "id")

    def trim(self) -> None:
        """Keep memory bounded from one hour to the next; only people are expected again."""
        self.users.trim()


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
