"""The beginning of a file to be imported: one of another kind is answered with what converts it."""

from __future__ import annotations

import io
import shlex
from typing import BinaryIO, cast

from tuppence.cli.output import CommandError
from tuppence.pipeline.file_kinds import HEAD_BYTES, other_kind


def recognised(file: BinaryIO, *, csv: bool) -> BinaryIO:
    """Return a file that can be read from its beginning, once that has been looked at.

    Args:
        file: opened for reading bytes; it may be a pipe.
        csv: whether it is about to be read as CSV.

    Raises:
        CommandError: it is of another kind; says of which, and what to run.

    """
    head = file.read(HEAD_BYTES)
    found = other_kind(head, csv=csv)
    if found is None:
        return cast("BinaryIO", io.BufferedReader(_Rejoined(head, file), HEAD_BYTES))
    piped = file.name in {"-", "<stdin>"}
    name = "standard input" if piped else file.name
    command = found.command if piped else found.command.replace("FILE", shlex.quote(file.name))
    raise CommandError(
        f"{name} is {found.name}", f"Run: {command}\n  docs/how-to/import-events.md explains it."
    )


class _Rejoined(io.RawIOBase):
    """A file whose beginning has been read already."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head = io.BytesIO(head)
        self._file = file

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # what BufferedReader hands in
        """Read into a buffer; return how many bytes."""
        some = self._head.read(len(buffer)) or self._file.read(len(buffer))
        buffer[: len(some)] = some
        return len(some)
