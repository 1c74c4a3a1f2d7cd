"""A mark tells the process that made it from every process forked from that one."""

import os
import sys

import pytest

import hookless
from tuppence import process

FORKS = {"os": os.fork, "c": hookless.fork}
MARKS = {"wiped page": process.mark, "process id": process.ProcessIdMark}

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


def in_child(fork, act):
    """Return what `act` returned in a child made by `fork`."""
    child = fork()
    if child == 0:
        status = 99
        try:
            status = act()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
@pytest.mark.parametrize("make", MARKS.values(), ids=MARKS)
def test_a_mark_is_true_where_it_was_made_and_false_in_a_child(make, fork):
    mark = make()

    assert mark[0]
    assert in_child(fork, lambda: mark[0]) == 0
    assert mark[0]


@pytest.mark.parametrize("fork", FORKS.values(), ids=FORKS)
@pytest.mark.parametrize("make", MARKS.values(), ids=MARKS)
def test_a_child_of_a_child_is_told_from_both(make, fork):
    first = make()

    def grandchild():
        second = make()
        return in_child(fork, lambda: 2 * first[0] + second[0]) + 10 * second[0]

    assert in_child(fork, grandchild) == 10


@pytest.mark.skipif(sys.platform != "linux", reason="needs a kernel that wipes pages")
def test_a_look_at_a_mark_is_no_system_call():
    assert not isinstance(process.mark(), process.ProcessIdMark)
