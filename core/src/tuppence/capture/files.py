"""Files in folders that no other user can reach into, and files that are written whole or not at all.

Every call walks to the file's folder from the root, each folder opened relative to the one before it and
looked at once it is open, so that nothing can be put in its place in between, and that a folder which was
removed and made anew by another user while this process ran is noticed. A folder on the way

- belongs to this user or to root,
- can be written by no other user, unless its sticky bit keeps them from renaming what is not theirs,
- is no link, but for one that only this user or root can have made: in a folder that no one else can write.

The last folder belongs to this user and can be written by no one else, sticky bit or not. A file is never
followed as a link.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_WALK: Final = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
"""`O_PATH` of Linux asks for no right to list a folder on the way."""
_LIST: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH
_MAX_LINKS: Final = 40
"""Links followed on the way to one folder, as Linux has it (path_resolution(7))."""


class UnsafeFolderError(PermissionError):
    """A folder in which, or on the way to which, another user could read, replace or plant files."""


@contextmanager
def opened(folder: Path, *, create: bool = False) -> Iterator[int]:
    """Lend an open folder of this user's, checked as the module says.

    Args:
        folder: its absolute path.
        create: make what is missing on the way, for this user alone.

    Raises:
        UnsafeFolderError: another user could reach into it.
        OSError: it is not there, or cannot be opened.

    """
    file = _walk(folder, create=create)
    try:
        _check_own(file, folder)
        yield file
    finally:
        os.close(file)


def make_private(folder: Path) -> None:
    """Make a folder, and what is missing on the way to it, for this user alone. Raises as `opened`."""
    with opened(folder, create=True) as file:
        if os.fstat(file).st_mode & 0o077:
            listed = os.open(".", _LIST, dir_fd=file)
            try:
                os.fchmod(listed, 0o700)
            finally:
                os.close(listed)


def make_folder(folder: Path, *, exist_ok: bool = False) -> None:
    """Make a folder within one that is there. Raises as `opened`, and `FileExistsError`."""
    with opened(folder.parent) as parent:
        try:
            os.mkdir(folder.name, 0o700, dir_fd=parent)
        except FileExistsError:
            if not exist_ok:
                raise


def rename(path: Path, name: str) -> None:
    """Give what lies at `path` another name within its folder. Raises as `opened`."""
    with opened(path.parent) as folder:
        os.rename(path.name, name, src_dir_fd=folder, dst_dir_fd=folder)


def open_file(path: Path, flags: int) -> int:
    """Open a file, and no link; return its descriptor. Raises as `opened`."""
    with opened(path.parent) as folder:
        return os.open(path.name, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600, dir_fd=folder)


def read_file(path: Path) -> bytes:
    """Return what is in a file. Raises as `opened`."""
    with os.fdopen(open_file(path, os.O_RDONLY), "rb") as stream:
        return stream.read()


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file by one for this user alone. A crash leaves the file before or the file after."""
    temporary = path.with_name(f".{path.name}")
    with os.fdopen(open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as stream:
        stream.write(content)
    with opened(path.parent) as folder:
        os.replace(temporary.name, path.name, src_dir_fd=folder, dst_dir_fd=folder)


def remove_file(path: Path) -> None:
    """Remove a file; no error where it, or its folder, is gone. Raises as `opened`."""
    try:
        with opened(path.parent) as folder:
            os.unlink(path.name, dir_fd=folder)
    except FileNotFoundError:
        return


def remove_folder(folder: Path) -> None:
    """Remove a folder and the files in it, as far as that can be done. Raises as `opened`.

    Not with `shutil.rmtree`, which takes no `dir_fd` where eventlet has replaced functions of `os`.
    """
    for name in names_in(folder):
        with suppress(OSError):
            remove_file(folder / name)
    with opened(folder.parent) as parent, suppress(OSError):
        os.rmdir(folder.name, dir_fd=parent)


def status_of(path: Path) -> os.stat_result:
    """Return what the file system knows of a file, or of a link itself. Raises as `opened`."""
    with opened(path.parent) as folder:
        return os.stat(path.name, dir_fd=folder, follow_symlinks=False)


def names_in(folder: Path) -> list[str]:
    """Return the names of what lies in a folder. Raises as `opened`."""
    with opened(folder) as file:
        listed = os.open(".", _LIST, dir_fd=file)
        try:
            return os.listdir(listed)  # noqa: PTH208 - an open folder has no path
        finally:
            os.close(listed)


def _walk(folder: Path, *, create: bool) -> int:
    """Open a folder from the root on, each part relative to the one before it."""
    if not folder.is_absolute():
        raise ValueError(f"{folder} is no absolute path")
    left = list(reversed(folder.parts[1:]))
    at, current, links = Path(folder.anchor), os.open(folder.anchor, _WALK), 0
    try:
        _check_way(current, at)
        while left:
            part = left.pop()
            found = _step(current, part, create=create)
            if isinstance(found, int):
                at, parent, current = at / part, current, found
                os.close(parent)
                _check_way(current, at)
                continue
            links += 1
            _check_link(current, at / part, links)
            left += reversed([one for one in found.split("/") if one])
            if found.startswith("/"):
                at, parent, current = Path("/"), current, os.open("/", _WALK)
                os.close(parent)
    except BaseException:
        os.close(current)
        raise
    return current


def _step(parent: int, part: str, *, create: bool) -> int | str:
    """Open one folder in another, or return where the link that lies there leads."""
    try:
        return _enter(parent, part)
    except FileNotFoundError:
        if not create:
            raise
        with suppress(FileExistsError):  # another process has made it meanwhile
            os.mkdir(part, 0o700, dir_fd=parent)
        return _enter(parent, part)
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        try:
            return os.readlink(part, dir_fd=parent)
        except OSError:
            raise error from None


def _enter(parent: int, part: str) -> int:
    return os.open(part, _WALK | os.O_NOFOLLOW, dir_fd=parent)


def _check_link(parent: int, link: Path, number: int) -> None:
    """Refuse a link that another user can have made."""
    owner = os.stat(link.name, dir_fd=parent, follow_symlinks=False).st_uid
    if owner not in (0, os.geteuid()) or _others_write(os.fstat(parent)):
        raise UnsafeFolderError(f"{link} is a link, in a folder where other users can make one")
    if number > _MAX_LINKS:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(link))


def _check_way(file: int, folder: Path) -> None:
    """Refuse a folder whose entries another user can replace."""
    found = os.fstat(file)
    if found.st_uid not in (0, os.geteuid()):
        raise UnsafeFolderError(f"{folder} belongs to another user")
    if _others_write(found) and not found.st_mode & stat.S_ISVTX:
        raise UnsafeFolderError(
            f"{folder} can be written by other users, and without a sticky bit they can replace what is in it"
        )


def _check_own(file: int, folder: Path) -> None:
    """Refuse a folder that is not this user's alone to write."""
    found = os.fstat(file)
    if found.st_uid != os.geteuid():
        raise UnsafeFolderError(f"{folder} belongs to another user")
    if _others_write(found):
        raise UnsafeFolderError(f"{folder} can be written by other users")


def _others_write(found: os.stat_result) -> bool:
    """Whether anyone but the owner and root can write. A group of this user alone is nobody else."""
    others = found.st_mode & _OTHERS_WRITE
    return bool(others) and not (others == stat.S_IWGRP and _is_private(found.st_gid))


def _is_private(group: int) -> bool:
    """Whether a group is this user's own, as many systems give every user one, or root's."""
    import grp
    import pwd

    try:
        user, entry = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return entry.gr_name in (user, "root") and set(entry.gr_mem) <= {user, "root"}
