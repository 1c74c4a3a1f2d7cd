"""A program that forks in one state of the client or another, and keeps what each process was promised.

python -m faults.forking STATE FOLDER FORK   appends `process n` to FOLDER/promised for each event it accepted

FORK is `os` for Python's fork, and `c` for one that runs none of Python's hooks.
"""

import os
import signal
import sys
import threading
import time

import hookless
from tuppence import config as configuration
from tuppence.capture.client import Client

FORKS = 12
HOW = {"os": os.fork, "c": hookless.fork}


class Family:
    """One client in a process and its children."""

    def __init__(self, folder, how):
        self.start = HOW[how]
        self.client = Client(configuration.load(f"{folder}/tuppence.toml", environ={}))
        self._promised = os.open(f"{folder}/promised", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._count = 0

    def capture(self, count=1):
        for _ in range(count):
            self._count += 1
            who, n = os.getpid(), self._count
            if self.client.capture("tick", process=who, n=n):
                os.write(self._promised, b"%d %d\n" % (who, n))

    def fork(self, act=None):
        """Fork a child that captures, or acts, closes and ends; wait for it."""
        child = self.start()
        if child == 0:
            self.end(act or (lambda: self.capture(5)))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    def end(self, act):
        """Act, close, and end this process."""
        status = 1
        try:
            act()
            self.client.close(5)
            status = 0
        finally:
            os._exit(status)


def before_the_first_event(family):
    family.fork()
    family.capture()


def with_events_waiting(family):
    family.capture(100)
    family.fork()
    family.capture(100)


def while_the_sender_sends(family):
    stop = threading.Event()

    def send():
        while not stop.is_set():
            family.capture(20)
            family.client.flush(5)

    thread = threading.Thread(target=send)
    thread.start()
    for _ in range(FORKS):
        family.fork()
    stop.set()
    thread.join()


def while_the_sender_works(family):
    for _ in range(FORKS):
        family.capture(300)
        family.client.flush(0)
        family.fork()


def while_the_sender_loads(family):
    """What sending needs is imported half a second after the first event; it takes its time here."""
    loading = threading.Event()

    class Slow:
        def find_spec(self, name, path, target=None):
            if name == "tuppence.queue":
                loading.set()
                time.sleep(0.5)

    sys.meta_path.insert(0, Slow())
    family.capture()
    family.client.flush(0)
    assert loading.wait(20)

    def load_too():
        family.capture()
        if family.start is not os.fork:  # which waits; nothing keeps another from leaving half a module
            return family.client.flush(1) in {True, False}
        family.client.flush(0)
        while family.client._instance.sender is None:
            time.sleep(0.01)
        return True

    family.fork(lambda: assert_quick(load_too))
    family.capture()


def during_close(family):
    family.capture(500)
    thread = threading.Thread(target=family.client.close, args=(5,))
    thread.start()
    for _ in range(FORKS):
        family.fork()
    thread.join()


def in_a_thread(family):
    family.capture(10)
    threads = [threading.Thread(target=family.fork) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    family.capture(10)


def twice(family):
    family.capture(10)

    def again():
        family.capture(5)
        family.fork()
        family.capture(5)

    family.fork(again)
    family.capture(10)


def within_a_question(family):
    """Parent and child both leave the block; the question is the parent's."""
    with family.client.question("Who answers?") as question:
        child = family.start()
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            family.client.flush(5)
            question.answered()
        else:
            question.error()
    if child == 0:
        family.end(lambda: family.capture(5))
    family.capture(5)


def with_a_child_that_does_nothing(family):
    family.capture(10)
    family.fork(lambda: None)
    family.capture(10)


def with_a_child_that_only_flushes(family):
    family.capture(10)
    family.client.flush(5)
    family.fork(lambda: assert_quick(lambda: family.client.flush(60)))
    family.capture(10)


def assert_quick(act):
    """Fail where a child waits for what only its parent's threads could do."""
    signal.alarm(20)
    assert act()
    signal.alarm(0)


def with_a_refusal_first(family):
    family.capture(10)

    def refused():
        assert family.client.capture("") == 0
        assert family.client.stats.refused == 1
        family.capture(5)

    family.fork(refused)
    family.capture(10)
    assert family.client.stats.refused == 0


def in_a_signal_handler(family):
    """The child goes on with the very call that the signal interrupted, and so does the parent.

    A timer interrupts the first capture of all, again and again.
    """
    parent, children = os.getpid(), []

    def handle(_number, _frame):
        if os.getpid() == parent and len(children) < FORKS:
            child = family.start()
            if child:
                children.append(child)
                signal.setitimer(signal.ITIMER_REAL, 0.0005 * len(children))

    signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005)
    while len(children) < FORKS and os.getpid() == parent:
        family.capture()
    if os.getpid() != parent:
        family.end(lambda: family.capture(5))
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


STATES = [
    before_the_first_event,
    with_events_waiting,
    while_the_sender_sends,
    while_the_sender_works,
    while_the_sender_loads,
    during_close,
    in_a_thread,
    twice,
    within_a_question,
    with_a_child_that_does_nothing,
    with_a_child_that_only_flushes,
    with_a_refusal_first,
    in_a_signal_handler,
]


NOT_IN_C = [
    while_the_sender_sends,
    while_the_sender_works,
    during_close,
    in_a_thread,
    in_a_signal_handler,
]
"""Where another thread waits for Python's lock, such a fork copies a lock that blocks the child for ever,
whoever's thread that is; and what forks in C does so between calls."""


def main(state, folder, how):
    family = Family(folder, how)
    next(one for one in STATES if one.__name__ == state)(family)
    family.client.close(5)


if __name__ == "__main__":
    main(*sys.argv[1:])
