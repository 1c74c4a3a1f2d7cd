"""A program that works in several processes. It promises as `serving` does.

python pooling.py WAY      in the working directory; WAY is `prefork`, or a start method of `multiprocessing`
"""

import multiprocessing
import os
import sys

import serving

PROCESSES = 3
TASKS = 20


def prefork():
    """Work as Celery's pool does: children of a used client, replaced after some tasks, never closed."""
    for _ in range(2):
        children = []
        for _ in range(PROCESSES):
            child = os.fork()
            if child == 0:
                for _ in range(TASKS):
                    serving.record()
                os._exit(0)
            children.append(child)
        for child in children:
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def task(client):
    """Record with the client of this process, and with one that came as an argument."""
    serving.record()
    serving.promise(client.capture("handed over"))


def pool(method):
    with multiprocessing.get_context(method).Pool(PROCESSES, maxtasksperchild=TASKS) as workers:
        workers.map(task, [serving.client] * (PROCESSES * TASKS), chunksize=5)
        workers.close()
        workers.join()


if __name__ == "__main__":
    prefork() if sys.argv[1] == "prefork" else pool(sys.argv[1])
    serving.record()
    serving.client.close(10)
