"""A segment is whole before anything is written to it: its space is taken, and its pages are writable."""

from __future__ import annotations

import errno
import mmap
import resource
import sys

import pytest

from tuppence.capture import journal
from tuppence.capture.journal import FIRST, SEGMENT_BYTES, FileSegments, Journal, touch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux makes pages writable in advance")
FRAME = b"x" * 1000


def writable_in_advance():
    """Whether this kernel knows how; Linux does since 5.14."""
    with mmap.mmap(-1, mmap.PAGESIZE) as probe:
        try:
            probe.madvise(journal._POPULATE_WRITE)
        except OSError:
            return False
    return True


needed = pytest.mark.skipif(not writable_in_advance(), reason="needs Linux 5.14, see CONTRIBUTING.md")


def faults_while_filling(one):
    """Fill a segment with frames, and return how often a page was touched for the first time meanwhile."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range((SEGMENT_BYTES - FIRST) // len(FRAME)):
        one.append(FRAME)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.fixture
def made(tmp_path):
    one = Journal(FileSegments(tmp_path), 16 * SEGMENT_BYTES)
    yield one
    one.close()


@needed
def test_no_call_touches_a_page_for_the_first_time(made):
    assert faults_while_filling(made) < SEGMENT_BYTES / mmap.PAGESIZE / 10


def test_where_the_system_does_not_know_how_each_page_is_touched_when_it_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "_POPULATE_WRITE", 9_999)  # what an older kernel makes of the real one

    one = Journal(FileSegments(tmp_path), 16 * SEGMENT_BYTES)
    assert faults_while_filling(one) >= SEGMENT_BYTES / mmap.PAGESIZE / 20  # some pages are touched together
    one.close()

    assert FRAME in (tmp_path / "00000001.journal").read_bytes()


@needed
def test_what_would_kill_the_application_later_is_an_error_now(tmp_path):
    segments = FileSegments(tmp_path)
    cut_short = segments.create(1)
    segments.path(1).write_bytes(b"")

    with pytest.raises(OSError) as caught:  # noqa: PT011 - its number is looked at
        touch(cut_short)

    assert caught.value.errno == errno.EFAULT
