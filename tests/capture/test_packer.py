"""How a journal becomes batches, with a crash wherever one may happen."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.batch import to_events, unpack
from tuppence.capture.frames import FrameKind, frame
from tuppence.capture.journal import FileSegments, Journal
from tuppence.capture.packer import Packer
from tuppence.capture.set_aside import SetAsideFolder
from tuppence.capture.state import FileOutbox
from tuppence.errors import DriverError, ErrorCode

HOUR = 3_600_000
NOW = 1_000 * HOUR


@pytest.fixture
def folder(tmp_path):
    """The folder of one instance."""
    made = tmp_path / "instance"
    made.mkdir()
    return made


@pytest.fixture
def journal(folder):
    made = Journal(FileSegments(folder), 16 * 1024 * 1024)
    yield made
    made.close()


@pytest.fixture
def packer(folder):
    """Return a function that makes a packer as a process would that has just started."""

    def make():
        outbox = FileOutbox(folder)
        outbox.remove_strays()
        return Packer("instance", "bot", FileSegments(folder), outbox)

    return make


_TYPES = {FrameKind.EVENT: "tick", FrameKind.OPENED: "question"}


def write(journal, kind, seq, time=NOW, **data):
    head = () if kind == FrameKind.CLOSED else (_TYPES[kind], None, "u")
    journal.append(frame(kind, seq, time, data, *head))


def packed(packer):
    """Return headers and events of the pending batches."""
    unpacked = [unpack(packer.body(one)) for one in packer.pending]
    return [header for header, _ in unpacked], [
        event for _, columns in unpacked for event in to_events(columns)
    ]


def test_events_are_packed_by_hour(journal, packer):
    for seq in range(1, 7):
        write(journal, FrameKind.EVENT, seq, NOW + (seq % 2) * HOUR)
    one = packer()

    one.read(dead=False)
    one.commit(NOW)

    headers, events = packed(one)
    assert [header.count for header in headers] == [3, 3]
    assert [header.hello for header in headers] == [True, False]
    assert sorted(event.seq for event in events) == [1, 2, 3, 4, 5, 6]


def test_a_question_is_packed_when_it_has_ended(journal, packer):
    write(journal, FrameKind.OPENED, 1, text="?")
    one = packer()
    one.read(dead=False)
    one.commit(NOW)
    assert not one.pending

    write(journal, FrameKind.CLOSED, 1, outcome="answered")
    one.read(dead=False)
    one.commit(NOW)

    [event] = packed(one)[1]
    assert event.data == {"text": "?", "outcome": "answered"}


def test_a_question_that_was_open_at_one_crash_and_ended_before_the_next_is_whole(journal, packer):
    write(journal, FrameKind.OPENED, 1, text="?")
    first = packer()
    first.read(dead=False)
    first.commit(NOW)

    write(journal, FrameKind.CLOSED, 1, outcome="answered")
    second = packer()
    second.read(dead=False)
    second.settle([])
    third = packer()
    third.read(dead=False)
    third.commit(NOW)

    assert [event.data["outcome"] for event in packed(third)[1]] == ["answered"]


def test_an_end_that_is_read_before_its_question_waits_for_it(journal, packer):
    write(journal, FrameKind.CLOSED, 1, outcome="answered")
    write(journal, FrameKind.OPENED, 1, text="?")
    one = packer()

    one.read(dead=False)
    one.commit(NOW)

    assert [event.data["outcome"] for event in packed(one)[1]] == ["answered"]


def test_what_is_stated_after_the_end_amends_a_question_that_is_not_packed(journal, packer):
    write(journal, FrameKind.OPENED, 1, text="?")
    write(journal, FrameKind.CLOSED, 1, outcome="error", cause="KeyError", latency_ms=3)
    one = packer()
    one.read(dead=False)
    write(journal, FrameKind.CLOSED, 1, outcome="timeout", model="m", latency_ms=3)

    one.read(dead=False)
    one.commit(NOW)

    [header], [event] = packed(one)
    assert event.data == {"text": "?", "outcome": "timeout", "model": "m", "latency_ms": 3}
    assert header.ignored == 0


def test_of_two_ends_that_are_read_before_their_question_the_last_counts(journal, packer):
    write(journal, FrameKind.CLOSED, 1, outcome="answered")
    write(journal, FrameKind.CLOSED, 1, outcome="no_match")
    write(journal, FrameKind.OPENED, 1, text="?")
    one = packer()

    one.read(dead=False)
    one.commit(NOW)

    assert [event.data["outcome"] for event in packed(one)[1]] == ["no_match"]


def test_what_is_stated_after_a_question_was_packed_is_counted(journal, packer):
    write(journal, FrameKind.OPENED, 1, text="?")
    write(journal, FrameKind.CLOSED, 1, outcome="answered")
    one = packer()
    one.read(dead=False)
    one.commit(NOW)
    write(journal, FrameKind.CLOSED, 1, outcome="no_match")
    one.read(dead=False)
    one.settle([])  # saves the state as it was before the late statement was read

    another = packer()  # reads it again
    another.read(dead=False)
    another.commit(NOW)
    write(journal, FrameKind.EVENT, 2)
    last = packer()
    last.read(dead=False)
    last.commit(NOW)

    headers, events = packed(last)
    assert [(event.seq, event.data.get("outcome")) for event in events] == [(1, "answered"), (2, None)]
    assert [header.ignored for header in headers] == [0, 1]


def test_the_real_end_of_a_question_that_was_taken_for_aborted_is_its_end(journal, packer, monkeypatch):
    monkeypatch.setattr("tuppence.capture.packer.MAX_OPENED", 1)
    for seq in (1, 2):
        write(journal, FrameKind.OPENED, seq, text="?")
    one = packer()
    one.read(dead=False)
    for seq in (1, 2):
        write(journal, FrameKind.CLOSED, seq, outcome="answered")

    one.read(dead=False)
    one.commit(NOW)

    assert [event.data["outcome"] for event in packed(one)[1]] == ["answered", "answered"]


OPEN, CLOSE, COMMIT, CRASH, GLANCE = range(5)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.integers(OPEN, GLANCE), st.integers(1, 4)), max_size=40))
def test_however_often_a_question_ends_it_is_one_event_and_each_end_is_taken_or_counted(steps):
    """Ends come before and after packing, with crashes of the reader in between."""
    with TemporaryDirectory() as folder:
        journal = Journal(FileSegments(Path(folder)), 16 * 1024 * 1024)

        def reader():
            return Packer("instance", "bot", FileSegments(Path(folder)), FileOutbox(Path(folder)))

        one = reader()
        opened, ends, expected, late = set(), {}, {}, 0
        for number, (step, seq) in enumerate(steps):
            if step == OPEN and seq not in opened:
                opened.add(seq)
                write(journal, FrameKind.OPENED, seq, text="?")
            elif step == CLOSE:
                write(journal, FrameKind.CLOSED, seq, outcome=f"{number}")
                late += seq in expected
                ends[seq] = f"{number}"
            elif step == CRASH:
                one = reader()
            elif step in (COMMIT, GLANCE):
                one.read(dead=False)
                if step == COMMIT:
                    one.commit(NOW)
                    expected |= {one: ends[one] for one in opened & ends.keys() - expected.keys()}
        journal.close()
        one.read(dead=True)
        one.commit(NOW, goodbye=True)
        expected |= {one: ends.get(one, "aborted") for one in opened - expected.keys()}

        headers, events = packed(one)
        assert sorted((event.seq, event.data["outcome"]) for event in events) == sorted(expected.items())
        assert max((header.ignored for header in headers), default=0) == late


def test_dying_before_the_state_is_saved_means_packing_the_same_events_again(journal, packer, monkeypatch):
    for seq in range(1, 4):
        write(journal, FrameKind.EVENT, seq)
    one = packer()
    one.read(dead=False)
    monkeypatch.setattr(FileOutbox, "save", lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        one.commit(NOW)
    monkeypatch.undo()

    write(journal, FrameKind.EVENT, 4)
    again = packer()
    again.read(dead=False)
    again.commit(NOW)

    assert [event.seq for event in packed(again)[1]] == [1, 2, 3, 4]
    assert not list(journal.segments.path(1).parent.glob(".*.batch"))


def test_a_batch_that_was_packed_keeps_its_bytes_whoever_sends_it(journal, packer):
    write(journal, FrameKind.EVENT, 1)
    one = packer()
    one.read(dead=False)
    one.commit(NOW)
    before = {name: one.body(name) for name in one.pending}

    write(journal, FrameKind.EVENT, 2)
    another = packer()

    assert {name: another.body(name) for name in another.pending} == before


@pytest.mark.parametrize("content", [b"", b"\x81\xa4\xff\xff\xff\xff\x01", b"\x91" * 10_000])
def test_a_state_that_cannot_be_read_means_packing_again(journal, packer, folder, content):
    write(journal, FrameKind.EVENT, 1)
    (folder / "state").write_bytes(content)
    one = packer()

    one.read(dead=False)
    one.commit(NOW)

    assert [event.seq for event in packed(one)[1]] == [1]


def test_a_dead_instance_says_goodbye_once_and_its_segments_go(journal, packer, folder):
    write(journal, FrameKind.EVENT, 1)
    write(journal, FrameKind.OPENED, 2, text="?")
    journal.refuse()
    journal.close()
    one = packer()

    one.read(dead=True)
    one.commit(NOW, goodbye=one.finished)
    one.read(dead=True)
    one.commit(NOW, goodbye=one.finished)

    [header], events = packed(one)
    assert (header.goodbye, header.captured, header.dropped, header.refused) == (True, 2, 0, 1)
    assert [event.data.get("outcome") for event in events] == [None, "aborted"]
    assert not list(folder.glob("*.journal"))
    one.settle(one.pending)
    assert one.done


def refuse(packer):
    """Have the queue refuse every pending batch."""
    error = DriverError(ErrorCode.INVALID, operation="queue.send", provider="test")
    packer.set_aside(dict.fromkeys(packer.pending, error), datetime(2026, 11, 16, tzinfo=UTC))


def test_a_batch_that_is_refused_is_kept_outside_its_instance_and_counted(journal, packer, folder):
    write(journal, FrameKind.EVENT, 1)
    one = packer()
    one.read(dead=False)
    one.commit(NOW)
    [batch_id], body = one.pending, one.body(one.pending[0])

    refuse(one)

    again = packer()
    assert not again.pending
    assert again.events_set_aside == 1
    assert not list(folder.glob("*.batch"))
    [rejection] = SetAsideFolder(folder.parent).rejections()
    assert (rejection.batch, rejection.events, rejection.code) == (batch_id, 1, "invalid")
    assert SetAsideFolder(folder.parent).body(batch_id) == body


def test_dying_while_a_batch_is_set_aside_leaves_it_pending_and_not_counted(
    journal, packer, folder, monkeypatch
):
    write(journal, FrameKind.EVENT, 1)
    one = packer()
    one.read(dead=False)
    one.commit(NOW)
    monkeypatch.setattr(one._outbox, "save", lambda _: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        refuse(one)

    again = packer()
    assert len(again.pending) == 1
    assert again.events_set_aside == 0
    assert not SetAsideFolder(folder.parent).rejections()


def test_a_hello_that_was_refused_is_said_by_the_next_batch(journal, packer):
    write(journal, FrameKind.EVENT, 1)
    one = packer()
    one.read(dead=False)
    one.commit(NOW)
    refuse(one)
    write(journal, FrameKind.EVENT, 2)

    one.read(dead=False)
    one.commit(NOW)

    [header], _ = packed(one)
    assert (header.first, header.hello, header.set_aside) == (2, True, 1)


def test_a_dead_instance_of_which_all_was_refused_still_says_how_much_there_was(journal, packer):
    write(journal, FrameKind.EVENT, 1)
    write(journal, FrameKind.EVENT, 2, NOW + HOUR)
    journal.close()
    one = packer()
    one.read(dead=True)
    one.commit(NOW, goodbye=one.finished)
    refuse(one)
    assert not one.done

    one.commit(NOW + HOUR, goodbye=one.finished)

    [header], events = packed(one)
    assert not events
    assert (header.hello, header.goodbye) == (True, True)
    assert (header.captured, header.dropped, header.set_aside) == (2, 0, 2)
    refuse(one)
    assert one.done, "a closing batch that is refused as well is not made again"
    assert one.events_set_aside == 2


def test_many_large_events_become_batches_within_the_limit(journal, packer):
    import random

    chance = random.Random(1)
    for seq in range(1, 400):
        noise = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(2_000))
        write(journal, FrameKind.EVENT, seq, text=noise)
    one = packer()

    for _ in range(40):
        one.read(dead=False)
        one.commit(NOW)

    headers, events = packed(one)
    assert sorted(event.seq for event in events) == list(range(1, 400))
    assert all(len(one.body(name)) <= 64 * 1024 for name in one.pending)
    assert max(header.captured for header in headers) == 399


def test_events_that_are_all_alike_are_not_packed_beyond_what_a_reader_unpacks(journal, packer):
    for seq in range(1, 1_001):
        write(journal, FrameKind.EVENT, seq, text="x" * 3_900, more="y" * 3_900)
    one = packer()

    while sum(header.count for header in packed(one)[0]) < 1_000:
        one.read(dead=False)
        one.commit(NOW)

    assert [event.seq for event in packed(one)[1]] == list(range(1, 1_001))


def test_a_torn_frame_is_skipped_when_its_writer_is_dead(journal, packer):
    write(journal, FrameKind.EVENT, 1)
    journal.append(b"\x40\x00\x00\x00torn in the middle of being writ" + bytes(40))
    write(journal, FrameKind.EVENT, 2)
    one = packer()

    for _ in range(3):
        one.read(dead=True)
    one.commit(NOW, goodbye=one.finished)

    assert [event.seq for event in packed(one)[1]] == [1, 2]


def test_when_the_journal_is_full_the_oldest_segment_goes(folder, packer):
    journal = Journal(FileSegments(folder), 2 * 1024 * 1024)
    for seq in range(1, 4_001):
        write(journal, FrameKind.EVENT, seq, text="x" * 1_000)
    journal.close()
    one = packer()

    while not one.finished:
        one.read(dead=True)
        one.commit(NOW, goodbye=one.finished)

    headers, events = packed(one)
    numbers = {event.seq for event in events}
    assert max(numbers) == 4_000 > len(numbers)
    assert numbers == set(range(min(numbers), 4_001))
    assert headers[-1].dropped == 4_000 - len(numbers)


@pytest.mark.parametrize("step", ["put", "save"])
def test_a_first_batch_that_finds_no_room_leaves_the_hello_to_the_next(journal, packer, monkeypatch, step):
    write(journal, FrameKind.EVENT, 1)
    one = packer()
    one.read(dead=False)
    monkeypatch.setattr(FileOutbox, step, lambda *_: (_ for _ in ()).throw(OSError("full")))
    with pytest.raises(OSError, match="full"):
        one.commit(NOW)
    monkeypatch.undo()
    assert not list(journal.segments.path(1).parent.glob("*.batch"))

    write(journal, FrameKind.EVENT, 2)
    one.read(dead=False)
    one.commit(NOW)

    headers, events = packed(one)
    assert [header.hello for header in headers] == [True]
    assert [event.seq for event in events] == [1, 2]
