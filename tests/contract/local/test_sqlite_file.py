"""The file behind queue, store and scheduler: its rights, its versions, its damage, and its other users."""

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

import hookless
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Key, Message, Record
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.database import VERSION, FileOptions
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore
from tuppence.testing.contract import refused

KEY = Key(partition="p", sort="s")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tuppence.db"


@pytest.fixture
def queue(path, context):
    queue = LocalQueue(LocalQueue.Options(path=str(path)), context)
    yield queue
    queue.close()


@pytest.fixture
def store(path, context):
    store = LocalStore(LocalStore.Options(path=str(path)), context)
    yield store
    store.close()


def soon(span=5.0):
    return Deadline.after(span)


def test_the_file_is_its_owners_alone(queue, path):
    queue.check()

    files = [path, *path.parent.glob("tuppence.db-*")]
    assert len(files) == 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_an_empty_file_is_taken_over(queue, path):
    path.touch()

    queue.check()

    assert queue.depth(deadline=soon()) == (0, None)


def test_a_file_of_a_newer_version_is_left_untouched(queue, path):
    queue.check()
    queue.close()
    _execute(path, f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()

    with refused(ErrorCode.INVALID) as caught:
        queue.check()

    assert "upgrade tuppence" in str(caught.value)
    assert path.read_bytes() == before


def test_the_database_of_another_program_is_left_untouched(queue, path):
    _execute(path, "CREATE TABLE photos (name TEXT)")
    before = path.read_bytes()

    with refused(ErrorCode.INVALID) as caught:
        queue.check()

    assert "another program's" in str(caught.value)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_left_untouched(queue, path):
    path.write_bytes(b"Dear diary, " * 100)

    with refused(ErrorCode.INVALID):
        queue.check()

    assert path.read_bytes() == b"Dear diary, " * 100


def test_a_damaged_file_is_named(store, path):
    store.put(
        [Record(key=Key(partition="p", sort=f"{n}"), body=bytes(4096)) for n in range(50)], deadline=soon()
    )
    store.close()
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))

    with refused(ErrorCode.INVALID) as caught:
        store.query("p", limit=100, deadline=soon())

    assert str(path) in str(caught.value)


def test_a_missing_folder_is_named(path, context):
    queue = LocalQueue(LocalQueue.Options(path=str(path.parent / "nowhere" / "t.db")), context)

    with refused(ErrorCode.NOT_FOUND) as caught:
        queue.check()

    assert f"the folder {path.parent / 'nowhere'} does not exist" in str(caught.value)


def test_a_folder_is_no_file(path, context):
    queue = LocalQueue(LocalQueue.Options(path=str(path.parent)), context)

    with refused(ErrorCode.FORBIDDEN):
        queue.check()


def test_a_full_disk_is_unavailable_and_nothing_is_half_written(store):
    store.put([Record(key=KEY, body=b"before")], deadline=soon())
    with store._database.read("test", soon()) as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    with refused(ErrorCode.UNAVAILABLE) as caught:
        store.put([replace(_big(), key=KEY), _big()], deadline=soon())

    assert "full" in str(caught.value)
    assert store.get([KEY], deadline=soon())[0].body == b"before"


def test_a_writer_that_does_not_let_go_is_waited_for_until_the_deadline(path, context):
    queue = LocalQueue(LocalQueue.Options(path=str(path)), replace(context, clock=SystemClock()))
    queue.check()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with refused(ErrorCode.TIMEOUT):
        queue.send([Message(id="a", body=b"x")], deadline=soon(0.2))

    other.execute("ROLLBACK")
    other.close()
    assert queue.send([Message(id="a", body=b"x")], deadline=soon()) == []
    queue.close()


def test_threads_that_meet_at_a_new_file_all_get_in(path, context):
    def check(_):
        queue = LocalQueue(LocalQueue.Options(path=str(path)), context)
        queue.check()
        queue.close()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(check, range(32))) == [None] * 32


def test_two_projects_share_a_file_and_see_only_their_own(queue, path, context):
    other = LocalQueue(LocalQueue.Options(path=str(path)), replace(context, project="other"))
    queue.send([Message(id="a", body=b"mine")], deadline=soon())
    other.send([Message(id="a", body=b"theirs")], deadline=soon())

    (delivery,) = other.receive(
        max_messages=9, wait=timedelta(0), lease=timedelta(minutes=1), deadline=soon()
    )

    assert delivery.message.body == b"theirs"
    other.close()


def test_the_file_shrinks_after_a_purge(store, path, clock):
    expires = clock.now() + timedelta(hours=1)
    store.put([replace(_big(n), expires_at=expires) for n in range(8)], deadline=soon())
    store.close()
    full = path.stat().st_size
    clock.advance(timedelta(hours=2))

    assert store.purge(before=clock.now(), limit=100, deadline=soon()) == 8
    store.close()

    assert path.stat().st_size < full / 10


def test_a_cursor_of_another_query_is_refused(store):
    store.put([Record(key=Key(partition="p", sort=f"{n}"), body=b"x") for n in range(9)], deadline=soon())
    cursor = store.query("p", limit=3, deadline=soon()).cursor

    with refused(ErrorCode.INVALID):
        store.query("q", limit=3, cursor=cursor, deadline=soon())
    with refused(ErrorCode.INVALID):
        store.query("p", start="5", limit=3, cursor=cursor, deadline=soon())


def test_a_page_ends_before_it_grows_too_large(store):
    store.put([_big(n) for n in range(5)], deadline=soon())
    store.put([_big(n) for n in range(5, 10)], deadline=soon())

    page = store.query("p", limit=1000, deadline=soon())

    assert len(page.records) < 10
    assert page.cursor is not None


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def outcome_in_child(fork, act):
    """Return what `act` returned, as an exit status, in a child made by `fork`."""
    child = fork()
    if child == 0:
        status = 99
        try:
            status = int(act())
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def sent_from_here(queue):
    return not queue.send([Message(id="child", body=b"x")], deadline=soon())


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_no_connection_lives_across_a_fork(queue):
    queue.send([Message(id="before", body=b"x")], deadline=soon())
    assert queue.depth(deadline=soon())[0] == 1

    fine = outcome_in_child(os.fork, lambda: sent_from_here(queue))
    queue.send([Message(id="after", body=b"x")], deadline=soon())

    assert fine
    assert queue.depth(deadline=soon())[0] == 3


@needs_fork
def test_a_queue_that_has_sent_may_be_forked_without_a_hook(queue):
    queue.send([Message(id="before", body=b"x")], deadline=soon())

    fine = outcome_in_child(hookless.fork, lambda: sent_from_here(queue))
    queue.send([Message(id="after", body=b"x")], deadline=soon())

    assert fine
    assert queue.depth(deadline=soon())[0] == 3


@needs_fork
@pytest.mark.parametrize("other", [False, True], ids=["the same driver", "another on the same file"])
def test_a_connection_that_was_open_at_a_fork_without_a_hook_is_not_used(queue, other):
    """SQLite itself believes from then on that the child holds the locks of its parent."""
    queue.depth(deadline=soon())

    def refused_here():
        driver = LocalQueue(FileOptions(path=str(queue._database.path)), queue.context) if other else queue
        try:
            driver.depth(deadline=soon())
        except DriverError as error:
            return error.code is ErrorCode.UNAVAILABLE and "start this one again" in str(error)
        return False

    assert outcome_in_child(hookless.fork, refused_here)
    assert queue.depth(deadline=soon())[0] == 0


@needs_fork
def test_a_lock_that_was_held_at_a_fork_without_a_hook_holds_nobody_up(queue):
    with queue._database.notice_fork().lock:
        fine = outcome_in_child(hookless.fork, lambda: sent_from_here(queue))

    assert fine


def _execute(path, statement):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


def _big(number=0):
    return Record(key=Key(partition="p", sort=f"big-{number:03}"), body=bytes(1000 * 1024))
