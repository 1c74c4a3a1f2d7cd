"""What one unix user tries on another whose journals lie in the folder for temporary files that all share.

python two_users.py TRICK FOLDER      run by root; prints what the victim's process saw, as JSON
"""

import json
import logging
import os
import shutil
import sqlite3
import stat
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

from tuppence import config as configuration
from tuppence.batch import to_events, unpack
from tuppence.capture import places
from tuppence.capture.client import Client

VICTIM, OTHER = 12_345, 12_346
SECRET = "is my account overdrawn"
NAME = f"tuppence-{VICTIM}"


class Place:
    """The shared folder for temporary files, and a folder of each user's own."""

    def __init__(self, folder):
        self.temporary, self.home, self.theirs = folder / "tmp", folder / "victim", folder / "other"
        self.journals = self.temporary / NAME
        self.other_folder = self.home / "photos"
        self.file = self.home / "letter"

    def prepare(self):
        for path, owner, mode in (
            (self.temporary, 0, 0o1777),
            (self.home, VICTIM, 0o755),
            (self.theirs, OTHER, 0o755),
            (self.other_folder, VICTIM, 0o755),
        ):
            path.mkdir()
            os.chown(path, owner, owner)
            path.chmod(mode)
        self.file.write_text("dear")
        os.chown(self.file, VICTIM, VICTIM)

    def config(self):
        return configuration.load(
            folder=self.home, environ={}, provider="local", project="bot", capture={"flush_interval": "200ms"}
        )


def captured(place, pause=None):
    """Capture and flush, as the victim does; return what that process saw.

    With two ends of pipes, say in the middle that there is a journal, and wait until it was meddled with.
    """
    warnings = []
    handler = logging.Handler()
    handler.emit = lambda record: warnings.append(record.getMessage())
    logging.getLogger("tuppence").addHandler(handler)
    with Client(place.config()) as client:
        assert client.capture("question", text=SECRET)
        durable, flushed = client.stats.durable, client.flush(30)
        if pause:
            ready, go = pause
            os.write(ready, b"1")
            os.read(go, 1)
            client.capture("question", text=SECRET)
            client.flush(1)
    return {"durable": durable, "flushed": flushed, "warnings": warnings}


def made_first(place):
    """Make the folder, for the victim to make theirs within."""
    place.journals.mkdir()
    place.journals.chmod(0o777)


def link_to_a_folder(place):
    place.journals.symlink_to(place.other_folder)


def link_to_a_file(place):
    place.journals.symlink_to(place.file)


def link_to_nothing(place):
    place.journals.symlink_to(place.home / "made-by-a-trick")


def sticky_bit_missing(_place):
    """Root took it away; nothing else is needed for the other user to rename what is not theirs."""


def renamed(place):
    """Put a folder of one's own in the place of one that is in use."""
    with suppress(PermissionError):
        place.journals.rename(place.theirs / "taken")
    with suppress(FileExistsError):
        place.journals.mkdir()


def removed_and_made_anew(place):
    """Make the folder when root has emptied the one for temporary files while the victim runs."""
    place.journals.mkdir()
    place.journals.chmod(0o777)
    inner = place.journals / places.directory(place.config()).name
    inner.mkdir()
    inner.chmod(0o777)


def visible(place):
    """Return which files of the victim's the other user can read the secret in, and all that is theirs."""
    found = []
    for path in (*place.temporary.rglob("*"), *place.theirs.rglob("*")):
        with suppress(OSError):
            if SECRET.encode() in path.read_bytes():
                found.append(str(path))
    return found


def planted(place):
    """Return what lies in folders of the other user's, below which the victim must have written nothing."""
    return [
        str(path)
        for path in (*place.temporary.rglob("*"), *place.theirs.rglob("*"))
        if path.lstat().st_uid == VICTIM and path.parent.stat().st_uid == OTHER
    ]


def start_as(user, task, *arguments):
    """Begin `task` in a process of this user's; return what ends it and returns its result."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            os.write(writing, json.dumps(task(*arguments)).encode())
        except BaseException:  # noqa: BLE001 - the parent says that it failed
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)

    def finish():
        with os.fdopen(reading) as answer:
            said = answer.read()
        assert os.waitpid(child, 0)[1] == 0, task
        return json.loads(said)

    return finish


def as_user(user, task, *arguments):
    """Return what `task` returns in a process of this user's."""
    return start_as(user, task, *arguments)()


def sent(place):
    """Return how many events of the victim's reached the queue."""
    connection = sqlite3.connect(place.home / "tuppence.db")
    with connection:
        bodies = [row[0] for row in connection.execute("SELECT body FROM messages")]
    return sum(len(list(to_events(unpack(body)[1]))) for body in bodies)


def state_of(path):
    found = path.lstat()
    return [
        stat.S_IMODE(found.st_mode),
        found.st_uid,
        sorted(one.name for one in path.iterdir()) if path.is_dir() else path.read_text(),
    ]


def load_modules(folder):
    """Do once as root what the users will: Python may be installed where they can load nothing."""
    warm = configuration.load(
        folder=folder, environ={}, provider="local", project="bot", capture={"directory": "warm"}
    )
    with Client(warm) as client:
        client.capture("tick")
        assert client.flush(30)


def main(trick, folder):
    load_modules(Path(folder))
    place = Place(Path(folder))
    place.prepare()
    os.environ.pop("HOME", None)
    os.environ.pop("XDG_STATE_HOME", None)
    os.environ["TMPDIR"] = str(place.temporary)
    tempfile.tempdir = None
    os.umask(0o022)
    before = [state_of(place.other_folder), state_of(place.file)]
    report = run(place, trick)
    report["unchanged"] = before == [state_of(place.other_folder), state_of(place.file)]
    report["home"] = sorted(path.name for path in place.home.iterdir())
    report["sent"] = sent(place)
    report["visible"] = as_user(OTHER, visible, place)
    report["planted"] = planted(place)
    print(json.dumps(report))  # noqa: T201 - the test reads it


def run(place, trick):
    """Let both users act; return what the victim's process saw."""
    if trick == "sticky_bit_missing":
        place.temporary.chmod(0o777)
    if trick not in ("renamed", "removed_and_made_anew"):
        as_user(OTHER, globals()[trick], place)
        return as_user(VICTIM, captured, place)
    (ready, ready_end), (go, go_end) = os.pipe(), os.pipe()
    finish = start_as(VICTIM, captured, place, (ready_end, go))
    os.read(ready, 1)
    if trick == "removed_and_made_anew":
        shutil.rmtree(place.journals)
    as_user(OTHER, globals()[trick], place)
    os.write(go_end, b"1")
    return finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
