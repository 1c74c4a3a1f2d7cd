"""Files that a command writes for whoever runs it, and for nobody else."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

from tuppence.cli.output import CommandError

_ELSEWHERE: Final = "Name a file in a folder of your own."


def write_private(path: Path, content: str) -> None:
    """Write a file that its owner alone can read, in place of the one that is there.

    It holds what people asked. In a folder that others can write, one of them may have put something in its
    place: a link, which is not followed, a file of their own, or a second name of one of ours.
    """
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise CommandError(f"{path} is a link, which is not followed.", _ELSEWHERE) from None
    with os.fdopen(file, "w", encoding="utf-8") as stream:
        found = os.fstat(file)
        if stat.S_ISREG(found.st_mode):
            if found.st_uid != os.geteuid() or found.st_nlink != 1:
                raise CommandError(f"{path} belongs to someone else, or has a second name.", _ELSEWHERE)
            os.fchmod(file, 0o600)
            os.ftruncate(file, 0)
        stream.write(content)
