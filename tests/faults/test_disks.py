"""A disk that is really full, or really read-only."""

import pytest

from faults import namespaces, on_disk
from faults.queues import received

CONFIGURATION = (
    'provider = "local"\nproject = "bot"\n[capture]\ndirectory = "disk/j"\nflush_interval = "200ms"\n'
    '[queue]\npath = "queue/tuppence.db"\n'
)


@pytest.fixture
def run(tmp_path):
    """Return a function that runs a case of `on_disk`, and returns the numbers promised there."""
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)
    (tmp_path / "disk").mkdir()

    def run(case, kind=namespaces.TMPFS):
        said = namespaces.run_on_disk(kind, tmp_path / "disk", on_disk.__file__, case, tmp_path)
        return [int(line) for line in said.splitlines()]

    return run


@namespaces.needed
def test_on_a_full_disk_what_was_promised_is_kept_and_the_rest_is_counted(run, tmp_path):
    promised = run("full_while_capturing")

    headers, events = received(tmp_path)
    [goodbye] = [header for header in headers if header.goodbye]
    assert 1_000 < len(promised) < on_disk.EVENTS
    assert [event.seq for _, event in events] == promised
    assert (goodbye.captured, goodbye.dropped) == (on_disk.EVENTS, on_disk.EVENTS - len(promised))


@namespaces.needed
def test_on_a_full_disk_the_oldest_segment_makes_room(run, tmp_path):
    promised = run("full_with_an_older_segment")

    headers, events = received(tmp_path)
    [goodbye] = [header for header in headers if header.goodbye]
    numbers = [event.seq for _, event in events]
    assert len(promised) == on_disk.EVENTS > len(numbers)
    assert numbers == promised[-len(numbers) :]
    assert goodbye.dropped == on_disk.EVENTS - len(numbers)


@namespaces.needed
@pytest.mark.parametrize(
    ("case", "kind"),
    [("read_only", namespaces.READ_ONLY), ("full_from_the_beginning", namespaces.TMPFS)],
)
def test_where_nothing_can_be_written_events_are_kept_in_memory(run, tmp_path, case, kind):
    (tmp_path / "queue").mkdir()

    promised = run(case, kind)

    assert [event.seq for _, event in received(tmp_path)[1]] == promised == list(range(1, 101))


@namespaces.needed
def test_a_disk_is_found_wherever_it_is_mounted(tmp_path):
    odd = tmp_path / "größer als\tnötig"
    odd.mkdir()

    said = namespaces.run_on_disk(namespaces.TMPFS, odd, on_disk.__file__, "file_system", odd / "journals")

    assert said == "tmpfs"


@namespaces.needed
def test_a_store_whose_disk_is_full_leaves_the_messages_in_the_queue(run, tmp_path):
    (tmp_path / "queue").mkdir()

    promised = run("full_while_draining")

    assert sorted(event.seq for _, event in received(tmp_path)[1]) == promised
