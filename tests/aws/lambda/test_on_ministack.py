"""The package as functions of an emulator of AWS, each under a role that may do what the drivers declare.

The emulator enforces policies, runs the functions, hands them messages, and fires schedules.
"""

import json
import os
import platform
import sys
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from aws.functions import client_at, functions_at, role_at
from aws.queues import queues_at
from aws.tables import table_at
from emulators import UV
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Kind, Message, Permission, Role, Schedule
from tuppence.pipeline import layout
from tuppence.runtime import Runtime
from tuppence_aws.package import build

HERE = "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LOOKS = 60
"""How often to look for what the emulator does by itself; a look waits for a second."""
FAILING = """
import time
from tuppence.clock import Deadline
from tuppence.drivers import ItemError, Key, Record
from tuppence.errors import DriverError, ErrorCode
from tuppence_aws.handlers import _runtime

def handle(deliveries):
    names = [f"{time.time_ns()}-{n}-{one.message.id}-{one.attempt}" for n, one in enumerate(deliveries)]
    seen = [Record(key=Key(partition="seen", sort=name), body=b"x") for name in names]
    assert not _runtime().store.put_many(seen, deadline=Deadline.after(10))
    error = DriverError(ErrorCode.UNAVAILABLE, operation="test", provider="test")
    return [
        ItemError(n, error)
        for n, one in enumerate(deliveries)
        if one.message.id == "bad" and one.attempt == 1
    ]

def consume(event, context):
    return _runtime().compute.consumer(handle)(event, context)
"""
"""Notes what it was given, and fails one message the first time."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the package is for Linux"),
]


@pytest.fixture
def config(ministack_url, project, tmp_path):
    parts = {kind.value: {"endpoint": ministack_url, "region": "eu-west-2"} for kind in Kind}
    return load(folder=tmp_path, environ={}, project=project, **parts)


@pytest.fixture
def runtime(config, ministack_url, project):
    """Yield the parts, on a queue, a table and a group of schedules of the test's own."""
    with (
        queues_at(ministack_url, project),
        table_at(ministack_url, f"tuppence-{project}"),
        client_at(ministack_url, "scheduler") as scheduler,
        Runtime(config) as runtime,
    ):
        scheduler.create_schedule_group(Name=f"tuppence-{project}")
        yield runtime
        scheduler.delete_schedule_group(Name=f"tuppence-{project}")


@pytest.fixture
def package(config, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{UV.parent}{os.pathsep}{os.environ['PATH']}")
    path = build(tmp_path, config, HERE, python=PYTHON)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("failing.py", FAILING)
    return path.read_bytes()


@pytest.fixture
def processor(runtime, ministack_url, project):
    """Return a role that may do what the queue and the store say that a processor must."""
    drivers = (runtime.queue.driver, runtime.store.driver)
    allowed = [one for driver in drivers for one in driver.permissions(Role.PROCESSOR)]
    with role_at(ministack_url, f"tuppence-{project}-work", allowed) as role:
        yield role


def events(count):
    at = datetime(2026, 11, 16, 9, tzinfo=UTC).isoformat()
    for n in range(count):
        body = json.dumps({"id": f"e{n}", "type": "signup", "time": at}).encode()
        yield Message(id=f"m{n}", body=body, lane=f"{n % 4}")


def soon():
    return Deadline.after(30)


def invoke(functions, name, event):
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    return answer.get("FunctionError"), answer["Payload"].read().decode()


def test_a_function_that_is_called_drains_and_seals_under_its_role(
    runtime, package, processor, ministack_url, project
):
    assert not runtime.queue.send(list(events(10)), deadline=soon())
    name = f"tuppence-{project}-drain"

    with functions_at(
        ministack_url, name, role=processor, code=package, handler="tuppence_aws.handlers.run"
    ) as functions:
        answers = [invoke(functions, name, {"job": job}) for job in ("drain", "seal")]

    assert answers == [(None, "null")] * 2
    assert depth(runtime) == 0
    assert len(list(runtime.store.query(hour(project), deadline=soon()))) == 10
    assert runtime.store.get(layout.hour(project, "2026111609"), deadline=soon()) is not None


def hour(project):
    return layout.segment(project, "2026111609", "x").partition


def test_a_function_without_permissions_fails_and_loses_nothing(runtime, package, ministack_url, project):
    assert not runtime.queue.send(list(events(3)), deadline=soon())
    name = f"tuppence-{project}-drain"

    with (
        role_at(ministack_url, f"tuppence-{project}-none", []) as role,
        functions_at(
            ministack_url, name, role=role, code=package, handler="tuppence_aws.handlers.run"
        ) as functions,
    ):
        error, told = invoke(functions, name, {"job": "drain"})

    assert error
    assert "forbidden" in told
    assert depth(runtime) == 3


def test_a_schedule_calls_its_function(runtime, package, processor, ministack_url, project):
    assert not runtime.queue.send(list(events(10)), deadline=soon())
    name = f"tuppence-{project}-drain"
    with functions_at(
        ministack_url, name, role=processor, code=package, handler="tuppence_aws.handlers.run"
    ) as functions:
        arn = functions.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
        may_call = [Permission(action="lambda:InvokeFunction", resource=arn)]
        with role_at(ministack_url, f"tuppence-{project}-invoke", may_call):
            runtime.scheduler.upsert(Schedule(name="drain", cron="* * * * *", job="drain"))

            bring_forward(ministack_url, f"tuppence-{project}", "drain")

            assert comes_true(runtime, lambda: not depth(runtime))
    assert len(list(runtime.store.query(hour(project), deadline=soon()))) == 10


def bring_forward(url, group, name):
    """Have a schedule fire in a moment instead of at the next full minute."""
    with client_at(url, "scheduler") as scheduler:
        found = scheduler.get_schedule(Name=name, GroupName=group)
        kept = {key: found[key] for key in ("Name", "GroupName", "FlexibleTimeWindow", "Target")}
        at = datetime.now(UTC) + timedelta(seconds=2)
        scheduler.update_schedule(**kept, ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})")


def comes_true(runtime, found):
    """Look again and again, a second apart, which is how long an empty queue makes one wait for nothing."""
    with closing(runtime.queue.driver.dead_letters()) as empty:
        for _ in range(LOOKS):
            if found():
                return True
            empty.receive(
                max_messages=1, wait=timedelta(seconds=1), lease=timedelta(seconds=1), deadline=soon()
            )
    return False


def test_sqs_calls_again_with_what_failed_and_what_follows_it(
    runtime, package, processor, ministack_url, project
):
    name, queue = f"tuppence-{project}-consume", f"tuppence-{project}.fifo"
    sent = [
        Message(id="bad", body=b"x", lane="a"),
        Message(id="behind", body=b"x", lane="a"),
        Message(id="other", body=b"x", lane="b"),
    ]
    assert not runtime.queue.send(sent, deadline=soon())
    with functions_at(
        ministack_url, name, role=processor, code=package, handler="failing.consume"
    ) as functions:
        mapping = functions.create_event_source_mapping(
            EventSourceArn=f"arn:aws:sqs:eu-west-2:000000000000:{queue}",
            FunctionName=name,
            BatchSize=10,
            FunctionResponseTypes=["ReportBatchItemFailures"],
        )

        assert comes_true(runtime, lambda: len(calls(runtime)) == 5 and not depth(runtime))

        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    lane = [one for one in calls(runtime) if one[0] != "other"]
    assert lane == [("bad", "1"), ("behind", "1"), ("bad", "2"), ("behind", "2")]


def depth(runtime):
    return runtime.queue.depth(deadline=soon())[0]


def calls(runtime):
    """Return which messages the function was given, and at which attempt, in order."""
    seen = runtime.store.query("seen", deadline=soon())
    return [tuple(record.key.sort.split("-")[2:]) for record in seen]
