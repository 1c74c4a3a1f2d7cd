"""What the apps' settings are told of a schedule, and what is made of what they hold."""

import json
from dataclasses import replace

import pytest

from azure.arm import MANAGEMENT
from azure.drivers import driver_of
from tuppence.clock import Deadline
from tuppence.config import load
from tuppence.drivers import Schedule
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import State
from tuppence.schedules import register
from tuppence_azure.scheduler import TimerScheduler

WEEKLY = Schedule(name="report", cron="0 7 * * MON", job="report", timezone="Europe/London")
HOURLY = Schedule(name="seal", cron="5 * * * *", job="seal")
SETTINGS = "/config/appsettings/list"


@pytest.fixture
def scheduler(arm, project):
    with (
        arm.project(f"tuppence-{project}"),
        driver_of(TimerScheduler, project, **arm.options) as driver,
    ):
        yield driver


@pytest.fixture
def app(arm, scheduler, project):
    return {part: arm.apps[f"tuppence-{project}-{part}"] for part in ("processor", "reporter")}


def test_a_schedule_is_two_settings_of_the_app_that_runs_its_job(scheduler, app):
    scheduler.upsert(replace(WEEKLY, payload={"why": "£"}))

    assert app["processor"].settings == {"FUNCTIONS_EXTENSION_VERSION": "~4"}
    assert app["reporter"].settings["TUPPENCE_TIMER_REPORT"] == "0 0 6-7 * * 1"
    told = app["reporter"].settings["TUPPENCE_SCHEDULE_REPORT"]
    assert told.isascii()
    about = {"name": "report", "cron": "0 7 * * MON", "job": "report", "timezone": "Europe/London"}
    assert json.loads(told) == {**about, "payload": {"why": "£"}}


def test_other_settings_stay_and_azure_is_told_of_the_timers(scheduler, app):
    scheduler.upsert(HOURLY)

    assert app["processor"].settings["FUNCTIONS_EXTENSION_VERSION"] == "~4"
    assert (app["processor"].writes, app["processor"].synced) == (1, 1)


def test_what_is_there_already_starts_no_app_anew(scheduler, app):
    scheduler.upsert(HOURLY)

    scheduler.upsert(HOURLY)
    scheduler.remove("nothing")

    assert [one.writes for one in app.values()] == [1, 0]


def test_a_schedule_whose_job_moves_to_the_other_app_is_in_one_of_them(scheduler, app):
    scheduler.upsert(HOURLY)

    scheduler.upsert(replace(HOURLY, job="report"))

    assert "TUPPENCE_TIMER_SEAL" not in app["processor"].settings
    assert [one.job for one in scheduler.schedules()] == ["report"]


def test_what_another_writer_overwrites_is_written_again(scheduler, arm, app):
    before = dict(app["processor"].settings)
    others = [{"OTHER": "1"}, {"OTHER": "2"}]

    def overwrite(written):
        if others:
            written.settings = before | others.pop(0)

    arm.after_writing = overwrite
    scheduler.upsert(HOURLY)

    assert scheduler.schedules() == [HOURLY]
    assert app["processor"].settings["OTHER"] == "2"


def test_a_writer_that_is_always_overwritten_says_so(scheduler, arm, app):
    before = dict(app["processor"].settings)

    def overwrite(written):
        written.settings = before

    arm.after_writing = overwrite
    with pytest.raises(DriverError, match="somebody else changes the app's settings") as caught:
        scheduler.upsert(HOURLY)

    assert caught.value.code is ErrorCode.CONFLICT


def test_settings_that_others_made_are_left_alone(scheduler, app):
    app["processor"].settings |= {"TUPPENCE_SCHEDULE_A": "no JSON", "TUPPENCE_SCHEDULE_B": '{"job": 1}'}

    assert scheduler.schedules() == []


def test_the_schedules_of_a_configuration_are_made_once(scheduler, app, project, tmp_path):
    config = load(project=project, environ={}, folder=tmp_path, report={"to": ["me@example.com"]})

    for _ in range(2):
        register(scheduler, config)

    assert [one.name for one in scheduler.schedules()] == ["drain", "report", "seal"]
    assert [one.writes for one in app.values()] == [2, 1]


def test_an_app_that_is_not_there_is_named(arm, project):
    with (
        driver_of(TimerScheduler, project, **arm.options) as driver,
        pytest.raises(
            DriverError, match=f"no function app tuppence-{project}-processor in tuppence; `tuppence dep"
        ),
    ):
        driver.upsert(HOURLY)


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        (403, "AuthorizationFailed", ErrorCode.FORBIDDEN),
        (429, "TooManyRequests", ErrorCode.THROTTLED),
        (409, "Conflict", ErrorCode.ALREADY_EXISTS),
        (503, "ServiceUnavailable", ErrorCode.UNAVAILABLE),
    ],
)
def test_what_is_refused_is_told_by_its_code(scheduler, arm, status, name, code):
    arm.refusals[SETTINGS] = (status, name)

    with pytest.raises(DriverError, match=name) as caught:
        scheduler.schedules()

    assert caught.value.code is code


def test_without_a_subscription_it_says_how_to_name_one(arm, project):
    options = {**arm.options, "subscription": ""}

    with (
        driver_of(TimerScheduler, project, **options) as driver,
        pytest.raises(DriverError, match="set `subscription`, or AZURE_SUBSCRIPTION_ID"),
    ):
        driver.check()


def test_a_token_is_sent_nowhere_unencrypted(arm, project):
    options = {**arm.options, "endpoint": MANAGEMENT.replace("https", "http")}

    with (
        driver_of(TimerScheduler, project, **options) as driver,
        pytest.raises(DriverError, match="a token is sent nowhere unencrypted"),
    ):
        driver.check()


def test_a_name_that_no_app_can_have_is_refused(arm, project):
    with (
        driver_of(TimerScheduler, project, app="x" * 51, **arm.options) as driver,
        pytest.raises(DriverError, match="choose a shorter `app`"),
    ):
        driver.check()


def test_a_timer_that_was_changed_by_hand_is_found(scheduler, app):
    scheduler.upsert(HOURLY)
    app["processor"].settings["TUPPENCE_TIMER_SEAL"] = "0 0 0 1 1 *"

    (found,) = [one for one in scheduler.findings(deadline=Deadline.after(30)) if one.state is State.WRONG]

    assert "the timer of the schedule seal is not what the schedule says" in found.detail


def test_a_caller_who_may_not_read_settings_is_told_so(scheduler, arm):
    arm.refusals[SETTINGS] = (403, "AuthorizationFailed")

    notes = [one.mend for one in scheduler.findings(deadline=Deadline.after(30)) if one.state is State.NOTE]

    assert notes == ["Allow it to whoever runs `tuppence doctor`, or look in the Azure portal."]
