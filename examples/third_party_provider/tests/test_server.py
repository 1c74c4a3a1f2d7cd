"""What a server does that is away, full, locked or not what it should be."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Context, Key, Message, Record, Role
from tuppence.errors import DriverError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence.settings import Secret

from tuppence_redis.queue import RedisQueue
from tuppence_redis.server import ServerOptions
from tuppence_redis.store import RedisStore

MESSAGE = Message(id="one", body=b"body")
RECORD = Record(key=Key(partition="p", sort="s"), body=b"body")


@pytest.fixture
def context():
    return Context(project="mybot", meter=UnitMeter(), clock=SystemClock())


@pytest.fixture
def queue(server, context):
    with closing(RedisQueue(server.options(), context)) as queue:
        yield queue


@pytest.fixture
def store(server, context):
    with closing(RedisStore(server.options(), context)) as store:
        yield store


@pytest.fixture
def password(monkeypatch):
    monkeypatch.setenv("REDIS_PASSWORD", "open sesame")
    return Secret(env="REDIS_PASSWORD")


@contextmanager
def fails(code, words):
    with pytest.raises(DriverError, match=words) as caught:
        yield caught
    assert caught.value.code is code
    assert caught.value.provider == "redis"


def soon():
    return Deadline.after(10)


def take(queue):
    return queue.receive(max_messages=9, wait=timedelta(0), lease=timedelta(seconds=30), deadline=soon())


def test_a_server_that_is_not_there_is_unavailable(context, tmp_path):
    queue = RedisQueue(ServerOptions(path=str(tmp_path / "nothing.sock")), context)

    with fails(ErrorCode.UNAVAILABLE, "nothing.sock cannot be reached"):
        queue.send([MESSAGE], deadline=soon())


def test_a_server_that_was_restarted_is_found_again(start, context):
    first = start()
    with closing(RedisQueue(first.options(), context)) as queue:
        queue.check()
        first.process.terminate()
        first.process.wait()

        with fails(ErrorCode.UNAVAILABLE, "cannot be reached"):
            queue.send([MESSAGE], deadline=soon())
        second = start()
        second.socket.rename(first.socket)

        assert not queue.send([MESSAGE], deadline=soon())


def test_a_call_is_made_once(context):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        queue = RedisQueue(ServerOptions(port=listener.getsockname()[1]), context)
        with ThreadPoolExecutor(1) as threads:
            first = threads.submit(listener.accept)

            with fails(ErrorCode.TIMEOUT, "did not answer in time"):
                queue.send([MESSAGE], deadline=Deadline.after(0.3))

            first.result()[0].close()
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_server_that_hangs_costs_no_more_than_the_deadline(server, queue):
    queue.depth(deadline=Deadline.after(timedelta(hours=1)))
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        with fails(ErrorCode.TIMEOUT, "did not answer in time"):
            queue.send([MESSAGE], deadline=Deadline.after(0.3))
    finally:
        os.kill(server.process.pid, signal.SIGCONT)

    assert queue.depth(deadline=soon())[0] in {0, 1}, "a late answer is not taken for the next one"


def test_a_server_that_forgot_the_script_is_told_again(server, queue):
    queue.check()
    queue.send([MESSAGE], deadline=soon())

    server.admin.script_flush()

    assert [delivery.message for delivery in take(queue)] == [MESSAGE]


def test_a_full_server_takes_nothing_and_keeps_what_it_has(server, store):
    store.put([RECORD], deadline=soon())
    server.admin.config_set("maxmemory", 1)

    with fails(ErrorCode.UNAVAILABLE, "no memory left"):
        store.put([RECORD, Record(key=Key(partition="p", sort="other"), body=b"x")], deadline=soon())

    assert [record.key for record in store.query("p", limit=9, deadline=soon()).records] == [RECORD.key]


def test_a_full_server_still_hands_out_what_it_has(server, queue):
    queue.send([MESSAGE], deadline=soon())
    server.admin.config_set("maxmemory", 1)

    with fails(ErrorCode.UNAVAILABLE, "no memory left"):
        queue.send([Message(id="two", body=b"body")], deadline=soon())
    queue.nack(take(queue), deadline=soon())
    errors = queue.ack(take(queue), deadline=soon())

    assert not errors
    assert queue.depth(deadline=soon()) == (0, None)


def test_a_server_that_throws_keys_away_does_not_pass_the_check(server, queue):
    server.admin.config_set("maxmemory-policy", "allkeys-lru")

    with fails(ErrorCode.INVALID, "noeviction"):
        queue.check()


def test_a_replica_does_not_pass_the_check_and_takes_no_writes(server, store):
    server.admin.replicaof("127.0.0.1", 1)

    with fails(ErrorCode.INVALID, "name the primary"):
        store.check()
    with fails(ErrorCode.UNAVAILABLE, "name the primary"):
        store.put([RECORD], deadline=soon())


def test_keys_of_another_program_are_left_alone(server, store):
    server.admin.set("tuppence:store:records:p", "precious")

    with fails(ErrorCode.INVALID, "another `prefix`"):
        store.put([RECORD], deadline=soon())

    assert server.admin.get("tuppence:store:records:p") == b"precious"


def test_a_password_is_given_by_reference(server, context, password):
    server.admin.config_set("requirepass", password.reveal())
    with closing(RedisQueue(server.options(password=password), context)) as queue:
        queue.check()


def test_without_the_password_no_one_gets_in(server, context):
    server.admin.config_set("requirepass", "open sesame")

    with fails(ErrorCode.UNAUTHENTICATED, "set `password`"):
        RedisQueue(server.options(), context).check()


def test_a_wrong_password_is_refused_and_not_repeated(server, context, password):
    server.admin.config_set("requirepass", "another one")

    with fails(ErrorCode.UNAUTHENTICATED, "refuses this username or password") as caught:
        RedisQueue(server.options(password=password), context).check()

    assert password.reveal() not in str(caught.value)


def test_a_reference_that_leads_nowhere_is_named(server, context):
    with fails(ErrorCode.INVALID, "REDIS_SECRET is not set"):
        RedisQueue(server.options(password=Secret(env="REDIS_SECRET")), context).check()


def work(queue, store):
    """Return the kinds of work there are, each as what does it."""

    def receive():
        deliveries = take(queue)
        queue.extend(deliveries, lease=timedelta(minutes=1), deadline=soon())
        queue.nack(deliveries, deadline=soon())
        queue.ack(take(queue), deadline=soon())

    def read():
        store.get([RECORD.key], deadline=soon())
        store.query("p", limit=1, deadline=soon())

    return {
        "send": lambda: queue.send([MESSAGE], deadline=soon()),
        "receive": receive,
        "depth": lambda: queue.depth(deadline=soon()),
        "write": lambda: store.put([RECORD], deadline=soon()),
        "read": read,
        "delete": lambda: store.delete([RECORD.key], deadline=soon()),
        "purge": lambda: store.purge(before=store.context.clock.now(), limit=1, deadline=soon()),
    }


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.PRODUCER, {"send"}),
        (Role.PROCESSOR, {"receive", "depth", "write", "read", "delete", "purge"}),
        (Role.REPORTER, {"write", "read", "delete", "purge"}),
    ],
)
def test_a_role_may_do_its_work_and_no_other(server, context, password, queue, store, role, allowed):
    options = server.options(username=role.value, password=password)
    own = RedisQueue(options, context), RedisStore(options, context)
    rules = {rule for driver in own for p in driver.permissions(role) for rule in (p.action, p.resource)}
    server.admin.execute_command("ACL", "SETUSER", role.value, "on", f">{password.reveal()}", *rules)
    queue.send([MESSAGE], deadline=soon())
    store.put([replace(RECORD, expires_at=context.clock.now())], deadline=soon())

    with closing(own[0]), closing(own[1]):
        for name, do in work(*own).items():
            with nullcontext() if name in allowed else fails(ErrorCode.FORBIDDEN, "Permissions"):
                do()


def test_a_page_of_large_records_is_a_short_one(store):
    for number in range(6):
        body = bytes(store.limits.item_bytes - 100)
        store.put([Record(key=Key(partition="p", sort=f"{number}"), body=body)], deadline=soon())

    first = store.query("p", limit=6, deadline=soon())
    second = store.query("p", limit=6, cursor=first.cursor, deadline=soon())

    assert [[record.key.sort for record in page.records] for page in (first, second)] == [
        ["0", "1", "2", "3", "4"],
        ["5"],
    ]


def test_two_projects_keep_apart(server, context, queue):
    other = Context(project="other", meter=UnitMeter(), clock=context.clock)
    with closing(RedisQueue(server.options(), other)) as elsewhere:
        queue.send([MESSAGE], deadline=soon())

        assert not take(elsewhere)


def test_each_command_is_metered(context, queue, store):
    queue.send([MESSAGE], deadline=soon())
    store.put([RECORD], deadline=soon())

    assert context.meter.take() == {"redis.commands": 2}


def test_an_empty_server_is_left_when_all_is_done(server, context, queue, store):
    expired = Record(key=RECORD.key, body=b"x", expires_at=context.clock.now() + timedelta(milliseconds=1))
    queue.send([MESSAGE], deadline=soon())
    store.put([RECORD, Record(key=Key(partition="q", sort="s"), body=b"x")], deadline=soon())
    store.put([expired], deadline=soon())

    queue.ack(take(queue), deadline=soon())
    store.delete([Key(partition="q", sort="s")], deadline=soon())
    while not store.purge(before=context.clock.now(), limit=9, deadline=soon()):
        pass

    assert server.admin.keys() == []
