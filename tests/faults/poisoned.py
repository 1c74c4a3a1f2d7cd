"""A program that drains and seals poison within bounded memory, and prints what became of it.

python poisoned.py FOLDER MEBIBYTES
"""

import json
import resource
import sys

from faults.messages import bodies
from faults.poison import POISON
from faults.stages import runtime, soon
from tuppence import jobs
from tuppence.drivers import Message
from tuppence.errors import TuppenceError
from tuppence.pipeline import dead


def main(folder, mebibytes):
    good = bodies()
    poison = [make() for make in POISON]
    limit = (used() + int(mebibytes)) * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with runtime(folder) as running:
        messages = [Message(id=str(n), body=body) for n, body in enumerate(poison + good)]
        refused = {error.position for error in running.queue.send(messages, deadline=soon())}
        jobs.drain(running, deadline=soon())
        try:
            jobs.seal(running, deadline=soon())
        except TuppenceError as error:
            sys.stderr.write(f"{error}\n")
        letters = {one.body: one.reason for one in dead.letters(running.store, "bot", deadline=soon())}
    reasons = {
        make.__name__: "too large for the queue" if n in refused else letters.get(poison[n])
        for n, make in enumerate(POISON)
    }
    sys.stdout.write(json.dumps(reasons))


def used():
    """Return the mebibytes of address space in use."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - one line of the kernel's
        return int(file.read().split()[0]) * resource.getpagesize() // (1024 * 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
