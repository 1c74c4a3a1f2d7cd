"""What threads of ours do to those of the application."""

import os
import sys

import pytest

from tuppence.capture import threads

USUAL_S = 0.004


@pytest.fixture(autouse=True)
def usual():
    """Let the application have an interval of its own."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(USUAL_S)
    yield
    sys.setswitchinterval(before)


def interval_s():
    return pytest.approx(sys.getswitchinterval())


def test_while_modules_are_loaded_other_threads_have_the_interpreter_sooner():
    with threads.loading():
        assert interval_s() == threads.SWITCH_S

    assert interval_s() == USUAL_S


def test_it_is_as_usual_again_after_modules_that_cannot_be_loaded():
    with pytest.raises(ImportError), threads.loading():
        raise ImportError

    assert interval_s() == USUAL_S


def test_an_interval_that_the_application_sets_meanwhile_stays():
    with threads.loading():
        sys.setswitchinterval(0.05)

    assert interval_s() == 0.05


def test_a_shorter_interval_of_the_application_is_left_alone():
    sys.setswitchinterval(threads.SWITCH_S / 5)

    with threads.loading():
        assert interval_s() == threads.SWITCH_S / 5

    assert interval_s() == threads.SWITCH_S / 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_forked_while_modules_are_loaded_has_the_usual_interval():
    with threads.loading():
        child = os.fork()
        if child == 0:
            threads.after_fork_in_child()
            os._exit(int(interval_s() == USUAL_S))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1
