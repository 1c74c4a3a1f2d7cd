"""What the service is told of a schedule, and what is made of what it holds."""

import json
from base64 import b64decode
from dataclasses import replace

import pytest

from gcp.scheduler_service import OFF
from tuppence.config import load
from tuppence.drivers import Schedule
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import State
from tuppence.schedules import register
from tuppence_gcp.scheduler import CloudScheduler

WEEKLY = Schedule(name="report", cron="0 7 * * mon", job="report", timezone="Europe/London")
REGION = "europe-west2"


@pytest.fixture
def scheduler(opened, scheduler_service):
    """Return what builds drivers with options of their own."""

    def scheduler(**options):
        return opened(CloudScheduler, scheduler_service.url, **{"region": REGION, **options})

    return scheduler


@pytest.fixture
def stored(scheduler_service, project):
    """Return what the service keeps of a schedule."""
    return lambda name="report": scheduler_service.jobs[
        f"projects/proj/locations/{REGION}/jobs/tuppence-{project}-{name}"
    ]


def body(job):
    return json.loads(b64decode(job["httpTarget"]["body"]))


def test_the_function_of_the_job_is_called_as_the_invoker(scheduler, stored, project):
    scheduler().upsert(replace(WEEKLY, payload={"week": "last"}))

    job = stored()
    url = f"https://europe-west2-proj.cloudfunctions.net/tuppence-{project}-report"
    assert (job["schedule"], job["timeZone"]) == ("0 7 * * MON", "Europe/London")
    assert (job["httpTarget"]["uri"], job["httpTarget"]["httpMethod"]) == (url, "POST")
    assert job["httpTarget"]["oidcToken"] == {
        "serviceAccountEmail": f"tuppence-{project}-invoke@proj.iam.gserviceaccount.com",
        "audience": url,
    }
    assert job["attemptDeadline"] == "1800s"
    assert job["retryConfig"]["retryCount"] == 3
    assert body(job) == {
        "job": "report", "payload": {"week": "last"}, "project": project, "cron": "0 7 * * mon"
    }  # fmt: skip


def test_addresses_may_be_given(scheduler, stored):
    scheduler(function_url="https://mine/{function}", invoker="me@x.iam.gserviceaccount.com").upsert(
        replace(WEEKLY, job="purge")
    )

    target = stored()["httpTarget"]
    assert (target["uri"], target["oidcToken"]["audience"]) == ("https://mine/seal", "https://mine/seal")
    assert target["oidcToken"]["serviceAccountEmail"] == "me@x.iam.gserviceaccount.com"


def test_an_account_whose_name_would_be_too_long_is_known_by_a_digest(scheduler_service, context):
    driver = CloudScheduler(
        CloudScheduler.Options(endpoint=scheduler_service.url), replace(context, project="x" * 40)
    )

    driver.upsert(WEEKLY)
    driver.close()

    (job,) = scheduler_service.jobs.values()
    name = job["httpTarget"]["oidcToken"]["serviceAccountEmail"].partition("@")[0]
    assert len(name) <= 30
    assert name.startswith("tuppence-")
    assert name.endswith("-invoke")


def test_a_line_that_was_changed_by_hand_is_shown_as_it_is(scheduler, stored):
    driver = scheduler()
    driver.upsert(WEEKLY)

    stored()["schedule"] = "every 24 hours"

    assert [one.cron for one in driver.schedules()] == ["every 24 hours"]


def test_a_schedule_that_was_paused_goes_on_once_it_is_made_again(scheduler, stored):
    driver = scheduler()
    driver.upsert(WEEKLY)
    stored()["state"] = "PAUSED"

    driver.upsert(WEEKLY)

    assert stored()["state"] == "ENABLED"


@pytest.mark.parametrize("told", ["", "bm8gSlNPTg==", "e30="], ids=["nothing", "no JSON", "another's"])
def test_jobs_of_others_are_left_alone(scheduler, scheduler_service, stored, project, told):
    driver = scheduler()
    driver.upsert(WEEKLY)
    stored()["httpTarget"]["body"] = told

    assert list(driver.schedules()) == []


def test_a_project_whose_name_begins_with_ours_is_another(scheduler, scheduler_service, context, project):
    longer = CloudScheduler(
        CloudScheduler.Options(endpoint=scheduler_service.url, region=REGION),
        replace(context, project=f"{project}-more"),
    )

    longer.upsert(WEEKLY)
    longer.close()

    assert list(scheduler().schedules()) == []


@pytest.mark.parametrize("call", ["check", "schedules"])
def test_a_service_that_was_never_enabled_is_not_there(scheduler, call):
    with pytest.raises(DriverError, match=r"cloudscheduler\.googleapis\.com is not enabled") as caught:
        getattr(scheduler(project_id=OFF), call)()

    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_region_that_is_none_is_named(scheduler):
    with pytest.raises(DriverError, match="Cloud Scheduler has no region atlantis1"):
        scheduler(region="atlantis1").upsert(WEEKLY)


def test_the_schedules_of_a_configuration_are_made_once(scheduler, scheduler_service, project, tmp_path):
    config = load(project=project, environ={}, folder=tmp_path, report={"to": ["me@example.com"]})

    for _ in range(2):
        register(scheduler(), config)

    made = {
        body(job)["job"]: job["httpTarget"]["uri"].rpartition("-")[2]
        for job in scheduler_service.jobs.values()
    }
    assert made == {"drain": "drain", "seal": "seal", "report": "report"}


def test_the_doctor_is_told_of_a_schedule_that_is_paused(scheduler, stored, soon):
    driver = scheduler()
    driver.upsert(WEEKLY)
    stored()["state"] = "PAUSED"

    found = list(driver.findings(deadline=soon()))

    assert [one.detail for one in found if one.state is State.WRONG] == ["the schedule report is paused"]
    assert found[0].place == "project proj, europe-west2"


def test_the_doctor_is_told_that_a_fourth_job_is_billed(scheduler, scheduler_service, soon):
    driver = scheduler()
    for name in ("drain", "seal", "report", "mine"):
        driver.upsert(replace(WEEKLY, name=name))

    notes = [one.detail for one in driver.findings(deadline=soon()) if one.state is State.NOTE]

    assert notes == ["4 jobs are in europe-west2, and 3 of an account are free"]
