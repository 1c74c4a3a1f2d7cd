"""What the service is told of a schedule, and what is made of what it holds."""

import json
import threading
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from aws.functions import client_at
from tuppence.clock import SystemClock
from tuppence.config import load
from tuppence.drivers import Context, Schedule
from tuppence.errors import DriverError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence.schedules import register
from tuppence_aws.scheduler import EventBridgeScheduler

WEEKLY = Schedule(name="report", cron="0 7 * * MON", job="report", timezone="Europe/London")


@pytest.fixture
def service(ministack_url):
    with client_at(ministack_url, "scheduler") as service:
        yield service


@pytest.fixture
def group(service, project):
    service.create_schedule_group(Name=f"tuppence-{project}")
    return f"tuppence-{project}"


@pytest.fixture
def scheduler(ministack_url, project):
    """Return what builds drivers with options of their own."""
    context = Context(project=project, meter=UnitMeter(), clock=SystemClock())
    built = []

    def scheduler(**options):
        told = EventBridgeScheduler.Options(endpoint=ministack_url, **options)
        built.append(EventBridgeScheduler(told, context))
        return built[-1]

    yield scheduler
    for driver in built:
        driver.close()


def test_the_function_of_the_job_is_called_within_its_minute(scheduler, service, group):
    scheduler().upsert(replace(WEEKLY, payload={"week": "last"}))

    found = service.get_schedule(Name="report", GroupName=group)
    target = found["Target"]
    assert (found["State"], found["FlexibleTimeWindow"]) == ("ENABLED", {"Mode": "OFF"})
    assert target["Arn"] == f"arn:aws:lambda:eu-west-2:000000000000:function:{group}-report"
    assert target["RoleArn"] == f"arn:aws:iam::000000000000:role/{group}-invoke"
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 20, "MaximumEventAgeInSeconds": 3600}
    assert json.loads(target["Input"]) == {
        "job": "report",
        "run_id": "<aws.scheduler.execution-id>",
        "payload": {"week": "last"},
        "cron": "0 7 * * MON",
    }


def test_only_the_run_id_is_left_to_the_service(scheduler, service, group):
    scheduler().upsert(
        replace(WEEKLY, payload={"<aws.scheduler.execution-id>": "<aws.scheduler.attempt-number>"})
    )

    told = service.get_schedule(Name="report", GroupName=group)["Target"]["Input"]
    assert told.count("<aws.scheduler.") == 1


def test_arns_may_be_given(scheduler, service, group):
    role, function = "arn:aws:iam::1:role/mine", "arn:aws:lambda:eu-west-1:1:function:mine-{function}"

    scheduler(role_arn=role, function_arn=function).upsert(replace(WEEKLY, job="purge"))

    target = service.get_schedule(Name="report", GroupName=group)["Target"]
    assert (target["RoleArn"], target["Arn"]) == (role, function.replace("{function}", "seal"))


def test_a_line_that_was_changed_by_hand_is_shown_as_it_is(scheduler, service, group):
    driver = scheduler()
    driver.upsert(WEEKLY)
    found = service.get_schedule(Name="report", GroupName=group)

    changed = {key: found[key] for key in ("Name", "GroupName", "FlexibleTimeWindow", "Target")}
    service.update_schedule(**changed, ScheduleExpression="rate(7 days)")

    assert [one.cron for one in driver.schedules()] == ["rate(7 days)"]


def test_schedules_that_others_put_into_the_group_are_left_alone(scheduler, service, group):
    target = {
        "Arn": f"arn:aws:lambda:eu-west-2:000000000000:function:{group}-drain",
        "RoleArn": "arn:aws:iam::000000000000:role/x",
    }
    for name, told in {"a": "{}", "b": "no JSON", "c": '{"job": 1}'}.items():
        service.create_schedule(
            Name=name,
            GroupName=group,
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target=target | {"Input": told},
        )

    assert list(scheduler().schedules()) == []


def test_a_line_that_aws_has_no_room_for_is_refused(scheduler, group):
    minutes = ",".join(str(minute) for minute in range(60) if minute % 7)
    days = ",".join(str(day) for day in range(1, 32) if day % 5)
    hours = ",".join(str(hour) for hour in range(24) if hour % 5)

    with pytest.raises(DriverError, match="too long for AWS") as caught:
        scheduler().upsert(replace(WEEKLY, cron=f"{minutes} {hours} {days} * *"))

    assert caught.value.code is ErrorCode.INVALID


def test_a_group_that_is_not_there_is_named(scheduler, project):
    with pytest.raises(
        DriverError, match=f"no schedule group tuppence-{project}; `tuppence deploy` creates it"
    ):
        scheduler().upsert(WEEKLY)


def test_the_schedules_of_a_configuration_are_made_once(scheduler, service, group, project, tmp_path):
    config = load(project=project, environ={}, folder=tmp_path, report={"to": ["me@example.com"]})

    for _ in range(2):
        register(scheduler(), config)

    listed = service.list_schedules(GroupName=group)["Schedules"]
    functions = {one["Name"]: one["Target"]["Arn"].rpartition("-")[2] for one in listed}
    assert functions == {"drain": "drain", "seal": "seal", "report": "report"}


@pytest.fixture
def refusing():
    """A service that refuses every schedule, in the words it is given."""
    servers = []

    def refusing(words):
        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                answer = json.dumps({"Message": words}).encode()
                self.send_response(400)
                self.send_header("x-amzn-ErrorType", "ValidationException")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_POST = do_PUT  # noqa: N815 - the server looks for these names

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield refusing
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (
            "The execution role you provide must allow AWS EventBridge Scheduler to assume the role.",
            ErrorCode.UNAVAILABLE,
        ),
        ("Invalid Schedule Expression cron(0 7 ? * 9 *).", ErrorCode.INVALID),
    ],
)
def test_a_role_that_was_just_made_is_worth_another_try(refusing, words, code):
    options = EventBridgeScheduler.Options(
        endpoint=refusing(words), function_arn="arn:aws:lambda:x", role_arn="arn:aws:iam:x"
    )
    context = Context(project="mybot", meter=UnitMeter(), clock=SystemClock())

    with closing(EventBridgeScheduler(options, context)) as driver, pytest.raises(DriverError) as raised:
        driver.upsert(WEEKLY)

    assert raised.value.code is code
