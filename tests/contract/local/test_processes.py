"""Several real processes at one file. Each runs this file as a program: work, file, number."""

import json
import subprocess
import sys
from datetime import timedelta

import pytest

from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Absent, Context, Key, Message, Record, Version
from tuppence.local.queue import LocalQueue
from tuppence.local.store import LocalStore
from tuppence.meter import UnitMeter

PROCESSES = 3
EACH = 20
KEY = Key(partition="p", sort="counter")


@pytest.fixture
def run(tmp_path):
    """Return what a function below answers in each of several processes that run at once."""

    def run(work, processes=PROCESSES):
        command = [sys.executable, __file__, work.__name__, str(tmp_path / "tuppence.db")]
        started = [
            subprocess.Popen([*command, str(number)], stdout=subprocess.PIPE) for number in range(processes)
        ]
        answers = [process.communicate(timeout=120)[0] for process in started]
        assert [process.returncode for process in started] == [0] * processes
        return [json.loads(answer) for answer in answers]

    return run


def test_processes_send_and_receive_each_message_once(run):
    received = run(send_then_receive)
    received += run(receive, processes=1)

    names = sorted(name for names in received for name in names)
    assert names == sorted(f"{number}-{n}" for number in range(PROCESSES) for n in range(EACH))


def test_a_counter_kept_by_processes_loses_nothing(run):
    run(count)

    assert run(read_counter, processes=1) == [EACH * PROCESSES]


def context():
    return Context(project="contract", meter=UnitMeter(), clock=SystemClock())


def soon():
    return Deadline.after(30)


def send_then_receive(path, number):
    queue = LocalQueue(LocalQueue.Options(path=path), context())
    for message in range(EACH):
        assert not queue.send([Message(id=f"{number}-{message}", body=b"x")], deadline=soon())
    queue.close()
    return receive(path, number)


def receive(path, _):
    queue = LocalQueue(LocalQueue.Options(path=path), context())
    ids = []
    while deliveries := queue.receive(
        max_messages=7, wait=timedelta(0), lease=timedelta(minutes=5), deadline=soon()
    ):
        ids += [delivery.message.id for delivery in deliveries]
        assert not queue.ack(deliveries, deadline=soon())
    queue.close()
    return ids


def count(path, _):
    store = LocalStore(LocalStore.Options(path=path), context())
    store.put([Record(key=KEY, body=b"0")], condition=Absent(), deadline=soon())
    done = 0
    while done < EACH:
        (record,) = store.get([KEY], deadline=soon())
        raised = Record(key=KEY, body=b"%d" % (int(record.body) + 1))
        done += not store.put([raised], condition=Version(record.version), deadline=soon())
    store.close()


def read_counter(path, _):
    store = LocalStore(LocalStore.Options(path=path), context())
    (record,) = store.get([KEY], deadline=soon())
    store.close()
    return int(record.body)


if __name__ == "__main__":
    name, path, number = sys.argv[1:]
    sys.stdout.write(json.dumps(globals()[name](path, int(number))))
