"""`tuppence status` says whether the jobs run, and hides nothing behind a part that cannot be asked."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tuppence.cli.app import COULD_NOT, DONE
from tuppence.errors import DriverError, ErrorCode
from tuppence.local.queue import LocalQueue
from tuppence.local.scheduler import LocalScheduler
from tuppence.local.store import LocalStore
from tuppence.schedules import register


@pytest.fixture
def refuse(monkeypatch):
    """Have a driver refuse a call."""

    def refuse(driver, name, code=ErrorCode.FORBIDDEN):
        kind = {LocalQueue: "queue", LocalStore: "store", LocalScheduler: "scheduler"}[driver]

        def refused(*_args, **_options):
            raise DriverError(
                code, operation=f"{kind}.{name}", provider="local", message=f"needs {kind}:{name}"
            )

        monkeypatch.setattr(driver, name, refused)

    return refuse


def test_a_project_that_has_just_been_set_up_is_well_and_says_that_nothing_has_run(tuppence, clock):
    result = tuppence("status")

    assert result.status == DONE
    assert "drain\thas not run yet" in result.stdout


def test_when_each_job_last_ran_is_shown(tuppence, clock, send, batch):
    send(batch())
    tuppence("drain")
    tuppence("seal")

    result = tuppence("status")
    document = tuppence("status", "--json").json

    assert result.status == DONE, result
    assert "drain\tlast ran Mon 16 November, 09:30" in result.stdout
    states = {one["job"]: one["state"] for one in document["jobs"]}
    assert states == {"drain": "ok", "seal": "ok", "purge": "waiting"}
    assert document["problems"] == []


def test_a_drain_that_fails_is_named_with_its_cause(tuppence, clock, send, batch, refuse):
    tuppence("drain")
    send(batch())
    clock.advance(timedelta(hours=1))
    refuse(LocalQueue, "receive")
    assert tuppence("drain").status == COULD_NOT

    said = "Nothing has been drained since Mon 16 November, 09:30: forbidden, needs queue:receive"
    for command in ("status", "doctor"):
        result = tuppence(command)

        assert result.status == COULD_NOT
        assert f"{said}; 1 message is waiting" in result.stdout


def test_a_worker_that_has_stopped_is_overdue_for_status_and_doctor(tuppence, clock, runtime):
    register(runtime.scheduler, runtime.config)
    for job in ("drain", "seal", "purge"):
        tuppence(job)
    assert tuppence("status").status == DONE
    clock.advance(timedelta(days=1))

    for command in ("status", "doctor"):
        result = tuppence(command)

        assert result.status == COULD_NOT
        assert "Nothing has been drained since Mon 16 November, 09:30" in result.stdout
        assert "Is `tuppence worker` running?" in result.stdout


def test_a_schedule_that_somebody_removed_is_wrong_for_status_and_doctor(tuppence, clock, runtime):
    register(runtime.scheduler, runtime.config)
    runtime.scheduler.remove("drain")

    for command in ("status", "doctor"):
        result = tuppence(command)

        assert result.status == COULD_NOT
        assert "1 schedule is missing: drain" in result.stdout


UNKNOWN = {
    LocalQueue: {"queue"},
    LocalStore: {"waiting_hours", "last_event_by", "events", "loss", "dead_letters", "units", "jobs"},
    LocalScheduler: set(),
}


@pytest.mark.parametrize(
    ("driver", "call"), [(LocalQueue, "depth"), (LocalStore, "query"), (LocalScheduler, "schedules")]
)
@pytest.mark.parametrize("code", [ErrorCode.FORBIDDEN, ErrorCode.UNAVAILABLE])
def test_a_part_that_cannot_be_asked_hides_no_other(tuppence, clock, send, batch, refuse, driver, call, code):
    send(batch())
    tuppence("drain")
    tuppence("seal")
    well = tuppence("status", "--json").json
    refuse(driver, call, code)

    result = tuppence("status", "--json")
    shown = tuppence("status")

    assert (result.status, shown.status) == (COULD_NOT, COULD_NOT)
    missing = UNKNOWN[driver]
    assert {key for key, value in result.json.items() if value is None} == missing | (
        {"last_event_by"} & {key for key, value in well.items() if value is None}
    )
    assert set(result.json) == set(well)
    for key in well.keys() - missing - {"problems"}:
        assert result.json[key] == well[key] or key == "units"
    [problem] = result.json["problems"]
    assert code.value in problem["message"]
    assert problem["next"]
    assert problem["message"] in shown.stdout


def test_a_store_that_is_not_there_is_asked_once(tuppence, clock, monkeypatch):
    asked = []

    def gone(*_args, **_options):
        asked.append(clock.monotonic())
        raise DriverError(ErrorCode.UNAVAILABLE, operation="store.query", provider="local")

    monkeypatch.setattr(LocalStore, "query", gone)
    tuppence("status")

    assert max(asked) <= 20
