"""What the functions do where the contract leaves it to Azure."""

from datetime import UTC, datetime, timedelta

import pytest

from azure.drivers import driver_of
from azure.hosting import Called, from_service_bus, from_storage, timer_of
from tuppence.clock import Deadline
from tuppence.drivers import Message, Schedule
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import State
from tuppence.testing import ManualClock
from tuppence_azure.compute import FunctionsCompute
from tuppence_azure.messages import text_of
from tuppence_azure.timers import FUNCTION, encoded, schedule_setting

SEVEN = datetime(2026, 11, 16, 7, tzinfo=UTC)
WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)
MONDAYS = Schedule(
    name="report", cron="0 7 * * MON", job="report", timezone="Europe/London", payload={"a": "b"}
)


@pytest.fixture
def ran(monkeypatch):
    """Return what lets a timer fire at a moment, and says what ran."""
    monkeypatch.setenv(schedule_setting("report"), encoded(MONDAYS))

    def ran(now, last, planned, name="report", **more):
        seen = []
        with driver_of(FunctionsCompute, "mybot", ManualClock(now)) as compute:
            compute.runner(seen.append)(timer_of(last, planned, **more), Called(FUNCTION + name))
        return [run.run_id for run in seen]

    return ran


@pytest.mark.parametrize(
    ("now", "last", "planned"),
    [
        (SEVEN, SEVEN - WEEK, SEVEN),
        (SEVEN + timedelta(seconds=40), SEVEN - timedelta(hours=1), SEVEN),
        (SEVEN - timedelta(milliseconds=200), SEVEN - timedelta(hours=1), SEVEN),
        (SEVEN, None, SEVEN),
        (SEVEN + timedelta(seconds=40), None, SEVEN),
        (SEVEN, None, None),
    ],
    ids=["on time", "late", "early", "first", "first and late", "nothing known"],
)
def test_a_run_bears_the_moment_at_which_it_was_due(ran, now, last, planned):
    assert ran(now, last, planned) == ["report@20261116T070000Z"]


def test_a_timer_that_fires_for_another_offset_runs_nothing(ran):
    before = SEVEN - timedelta(hours=1)

    assert ran(before, SEVEN - WEEK, before) == []


def test_what_came_early_does_not_come_again(ran):
    assert ran(SEVEN + WEEK - timedelta(hours=1), SEVEN, SEVEN + WEEK - timedelta(hours=1)) == []


def test_what_was_missed_is_made_up_for_once(ran):
    assert ran(SEVEN + timedelta(hours=9), SEVEN - WEEK, SEVEN, past_due=True) == ["report@20261116T070000Z"]


def test_a_schedule_that_is_not_there_runs_nothing(ran, monkeypatch):
    monkeypatch.setenv(schedule_setting("seal"), "")

    assert ran(SEVEN, None, SEVEN, name="seal") == ran(SEVEN, None, SEVEN, name="drain") == []


@pytest.fixture
def received():
    """Return what hands a message over and returns it as the handler is given it."""

    def received(argument):
        seen = []
        with driver_of(
            FunctionsCompute, "mybot", ManualClock(SEVEN), timeout=timedelta(minutes=5)
        ) as compute:
            compute.consumer(lambda deliveries: seen.extend(deliveries) or ())(argument, Called())
        (delivery,) = seen
        return delivery

    return received


@pytest.mark.parametrize("body", [b"{}", b"", b"\x00\xff"])
def test_a_message_of_another_program_has_the_id_that_the_service_gave_it(received, body):
    odd = received(from_service_bus(Message(id="not an id", body=body), 7))

    assert (odd.message.id, odd.message.body) == ("number-7", body)


def test_a_text_that_is_not_tuppences_is_itself(received):
    found = received(from_storage('{"id": "1"}', 7)).message

    assert (found.id, found.body) == ("00000000-0000-0000-0000-000000000007", b'{"id": "1"}')


@pytest.mark.parametrize(
    "convert", [from_service_bus, lambda message, **more: from_storage(text_of(message), **more)]
)
def test_messages_are_leased_for_as_long_as_a_call_may_take(received, convert):
    delivery = received(convert(Message(id="a", body=b"x"), count=3))

    assert (delivery.expires, delivery.attempt) == (SEVEN + timedelta(minutes=5), 3)


@pytest.fixture
def compute(arm, project):
    with (
        arm.project(f"tuppence-{project}"),
        driver_of(FunctionsCompute, project, **arm.options) as compute,
    ):
        yield compute


def test_an_app_that_is_stopped_is_named(arm, compute, project):
    arm.apps[f"tuppence-{project}-reporter"].state = "Stopped"

    with pytest.raises(DriverError, match=f"tuppence-{project}-reporter is Stopped; start it") as caught:
        compute.check()

    assert caught.value.code is ErrorCode.UNAVAILABLE
    assert [one.detail for one in compute.findings(deadline=Deadline.after(30)) if one.state is State.WRONG]


def test_functions_that_are_disabled_or_not_there_yet_are_told(arm, compute, project):
    arm.apps[f"tuppence-{project}-processor"].functions = {"timer-drain": True, "timer-seal": False}

    found = {one.detail: one.state for one in compute.findings(deadline=Deadline.after(30))}

    assert found[f"the function timer-drain of tuppence-{project}-processor is disabled"] is State.WRONG
    assert found[f"tuppence-{project}-reporter has no functions yet"] is State.NOTE
    assert f"subscription {arm.options['subscription']}, uksouth, resource group tuppence" in found
