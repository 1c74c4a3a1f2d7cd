"""What a capturing process was promised, kept where a SIGKILL cannot reach it: in a mapped file."""

import mmap
import os
from pathlib import Path
from struct import Struct

_NUMBERS = Struct("<QQ")
_ID = 29


class Promises:
    """A process's own record, written without a system call: instance, last number, refusals."""

    def __init__(self, path):
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(file, 4096)
        self._map = mmap.mmap(file, 4096)
        os.close(file)
        self._last = self._refused = 0

    def promise(self, number, client):
        """Note that `capture()` returned this number."""
        if not self._last:
            self._map[64 : 64 + _ID] = client._instance.id.encode()
        self._last = max(self._last, number)
        self._note(0, self._last)

    def refuse(self):
        """Note that a call was refused."""
        self._refused += 1
        self._note(8, self._refused)

    def _note(self, at, number):
        """Write eight bytes in one step; a kill in the middle of `pack_into` leaves zeros."""
        self._map[at : at + 8] = number.to_bytes(8, "little")


def read(path):
    """Return the instance, the last number promised to it, and its refusals."""
    content = Path(path).read_bytes()
    last, refused = _NUMBERS.unpack_from(content)
    return content[64 : 64 + _ID].rstrip(b"\0").decode(), last, refused
