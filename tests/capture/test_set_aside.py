"""What becomes of events that the queue refuses: kept, counted, said, and sent once more."""

from datetime import timedelta
from pathlib import Path

import pytest

from tuppence.capture import places
from tuppence.capture.client import Client
from tuppence.capture.resend import resend_set_aside
from tuppence.capture.sender import Sender, send_orphans
from tuppence.capture.set_aside import SetAsideFolder
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import ItemError
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LocalQueue
from tuppence.runtime import Runtime

SECRET = "what somebody asked"


@pytest.fixture
def queue(monkeypatch):
    """The queue's mood: what it does with all messages until told otherwise."""
    return Mood(monkeypatch)


class Mood:
    """Lets the embedded queue refuse each message, or fail each call."""

    def __init__(self, monkeypatch):
        self._send = LocalQueue.send
        self.item = self.call = None
        mood = self

        def send(queue, messages, /, *, deadline):
            if mood.call is not None:
                raise error(mood.call)
            if mood.item is not None:
                return [ItemError(n, error(mood.item)) for n in range(len(messages))]
            return mood._send(queue, messages, deadline=deadline)

        monkeypatch.setattr(LocalQueue, "send", send)


def error(code):
    return DriverError(code, operation="queue.send", provider="test", message="not this one")


def folder(config):
    return SetAsideFolder(places.directory(config))


def send_orphaned(config):
    with Runtime(config) as runtime:
        return send_orphans(config, lambda: runtime.queue, SystemClock(), deadline=Deadline.after(10))


def resend(config):
    with Runtime(config) as runtime:
        return resend_set_aside(config, lambda: runtime.queue, SystemClock(), deadline=Deadline.after(10))


@pytest.mark.parametrize("code", ErrorCode)
def test_an_error_of_every_call_keeps_all_events_until_it_is_over(config, queue, sent, code):
    queue.call = code
    with Client(config) as client:
        for number in range(20):
            client.capture("tick", n=number)
        assert not client.flush(1)
        assert code.retryable or "kept in the journal" in client.stats.problem
        assert client.stats.set_aside == 0
        assert not folder(config).rejections()

        queue.call = None
        assert client.flush(60)
    assert sorted(event.data["n"] for event in sent()[1]) == list(range(20))


def test_an_error_of_every_call_keeps_the_events_of_a_process_that_ends(config, queue, sent):
    queue.call = ErrorCode.INVALID
    with Client(config) as client:
        for number in range(20):
            client.capture("tick", n=number)
        assert not client.flush(1)
        assert not client.close(5)
    assert not folder(config).rejections()

    queue.call = None

    assert send_orphaned(config).complete
    assert sorted(event.data["n"] for event in sent()[1]) == list(range(20))


@pytest.mark.parametrize("code", [ErrorCode.INVALID, ErrorCode.TOO_LARGE])
def test_what_the_queue_refuses_is_said_counted_and_outlives_its_process(config, queue, sent, code):
    queue.item = code
    with Client(config) as client:
        for _ in range(20):
            client.capture("tick", text=SECRET)
        assert not client.flush(10)
        assert client.stats.set_aside == 20
        assert "set aside" in client.stats.problem
        assert client.flush(10), "nothing new was refused since"
        assert not client.close(5)
        assert client.stats.set_aside == 20

    assert not list(places.instances(places.directory(config)))
    assert {one.code for one in folder(config).rejections()} == {code.value}
    for path in folder(config).path.glob("*.json"):
        assert SECRET.encode() not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    assert sent() == ([], [])


def test_a_dead_instance_whose_events_were_all_refused_tells_the_store_so(config, queue, sent):
    queue.item = ErrorCode.INVALID
    with Client(config) as client:
        for _ in range(20):
            client.capture("tick")
        assert not client.flush(10)
        queue.item = None

    [header], events = sent()
    assert not events
    assert (header.hello, header.goodbye) == (True, True)
    assert (header.captured, header.set_aside, header.dropped) == (20, 20, 0)


def test_what_was_set_aside_is_sent_once_more_when_asked(config, queue, sent):
    queue.item = ErrorCode.INVALID
    with Client(config) as client:
        client.capture("tick")
        client.flush(10)
    again = resend(config)
    assert (again.sent, again.left) == (0, sum(one.events for one in folder(config).rejections()))

    queue.item = None
    done = resend(config)

    assert (done.sent, done.left) == (1, 0)
    assert not list(folder(config).path.glob("*.rejected"))
    assert [event.type for event in sent()[1]] == ["tick"]


def test_a_queue_that_cannot_be_used_leaves_what_is_set_aside(config, queue):
    queue.item = ErrorCode.INVALID
    with Client(config) as client:
        client.capture("tick")
        client.flush(10)
    before = folder(config).rejections()

    queue.item, queue.call = None, ErrorCode.FORBIDDEN

    assert resend(config).sent == 0
    assert folder(config).rejections() == before


def refused(config, queue, clock):
    """Have one event refused, with its reason dated by `clock`."""
    queue.item = ErrorCode.INVALID
    with Client(config, clock=clock) as client:
        client.capture("tick", text="x" * 100)
        assert not client.flush(10)


def sender(config, clock):
    """Let a host's sender do one round."""
    one = Sender(config, places.directory(config), lambda: 1 / 0, clock)
    assert one.elect()
    one._clean()
    one.close()


class Later:
    """The machine's clock, moved."""

    def __init__(self, span):
        self._span, self._clock = span, SystemClock()

    def now(self):
        return self._clock.now() + self._span

    def monotonic(self):
        return self._clock.monotonic()

    def sleep(self, seconds):
        self._clock.sleep(seconds)


def test_what_is_set_aside_goes_when_it_is_too_old_and_is_counted(config, queue):
    refused(config, queue, SystemClock())
    age = config.capture.orphan_age

    sender(config, Later(age - timedelta(minutes=1)))
    kept = folder(config).rejections()
    sender(config, Later(age + timedelta(minutes=1)))

    assert sum(one.events for one in kept) == 1
    assert not folder(config).rejections()
    assert not list(folder(config).path.glob("*.rejected"))
    assert folder(config).removals().events == 1


def test_what_is_set_aside_is_bounded_in_size_the_oldest_go_first_and_are_counted(config, queue):
    for _ in range(2):
        refused(config, queue, SystemClock())
    there = folder(config)
    before = there.rejections()
    newest = len(there.body(before[-1].batch))
    now = SystemClock().now()

    removed = there.expire(before=now - timedelta(days=1), most_bytes=newest, now=now)

    assert there.rejections() == before[-1:]
    assert removed.batches == len(before) - 1 == there.removals().batches


def test_a_reason_that_is_damaged_hides_no_batch(config, queue):
    refused(config, queue, SystemClock())
    for path in folder(config).path.glob("*.json"):
        path.write_bytes(b"{")

    found = folder(config).rejections()

    assert sum(one.events for one in found) == 1
    assert {one.code for one in found} == {"unknown"}


def test_in_memory_too_what_is_refused_is_counted_and_said(config, queue, sent, tmp_path, monkeypatch):
    monkeypatch.setattr(places, "unfit", lambda _: "a file system of this test")
    queue.item = ErrorCode.INVALID
    with Client(config) as client:
        client.capture("tick")
        assert not client.flush(10)
        assert client.stats.set_aside == 1
        queue.item = None
        client.capture("tock")
        assert client.flush(10)
        assert not client.close(5)

    headers, events = sent()
    assert [event.type for event in events] == ["tock"]
    assert headers[0].hello
    assert {header.set_aside for header in headers} == {1}
    assert not Path(tmp_path / "j").exists() or not list(Path(tmp_path / "j").rglob("*.rejected"))
