"""A program that forks in one state of the client or another, and keeps what each process was promised.

python forking.py STATE FOLDER      appends `process n` to FOLDER/promised for each event that was accepted
"""

import os
import signal
import sys
import threading

from tuppence import config as configuration
from tuppence.capture.client import Client

FORKS = 12


class Family:
    """One client in a process and its children."""

    def __init__(self, folder):
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
        child = os.fork()
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
        child = os.fork()
        if child:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            family.client.flush(5)
            question.answered()
        else:
            question.error()
    if child == 0:
        family.end(lambda: family.capture(5))
    family.capture(5)


def in_a_signal_handler(family):
    """The child goes on with the very call that the signal interrupted, and so does the parent.

    A timer interrupts the first capture of all, again and again.
    """
    parent, children = os.getpid(), []

    def handle(_number, _frame):
        if os.getpid() == parent and len(children) < FORKS:
            child = os.fork()
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
    during_close,
    in_a_thread,
    twice,
    within_a_question,
    in_a_signal_handler,
]


def main(state, folder):
    family = Family(folder)
    next(one for one in STATES if one.__name__ == state)(family)
    family.client.close(5)


if __name__ == "__main__":
    main(*sys.argv[1:])
