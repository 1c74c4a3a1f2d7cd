from __future__ import annotations

import signal

import pytest

from tuppence.cli.app import COULD_NOT, DONE
from tuppence.cli.worker import RUNS, Worker
from tuppence.jobs import JOBS


@pytest.fixture
def running(start):
    """Start a worker in a process of its own, and return it once it waits for what is due."""
    process = start("worker")
    said = []
    for line in process.stderr:
        said.append(line)
        if "waiting" in line:
            break
    return process, said


def test_one_pass_does_everything_from_the_journals_to_the_numbers(tuppence, send, batch):
    send(batch())

    result = tuppence("worker", "--once", "--json")

    status = tuppence("status", "--json").json
    assert result.status == DONE
    assert result.json == {"ran": dict.fromkeys(JOBS, 1), "failed": {}}
    assert (status["queue"]["messages"], status["waiting_hours"], status["events"]) == (0, 0, 2)


def test_a_job_that_fails_is_told_and_keeps_no_other_from_running(tuppence, folder):
    (folder / "tuppence.toml").write_text(
        'provider = "local"\n[queue]\npath = "missing/queue.db"\n', encoding="utf-8"
    )

    result = tuppence("worker", "--once", "--json")

    assert result.status == COULD_NOT
    assert set(result.json["failed"]) == {"drain"}
    assert set(result.json["ran"]) == set(JOBS) - {"drain"}


def test_each_schedule_runs_jobs_that_exist():
    assert {job for jobs in RUNS.values() for job in jobs} == set(JOBS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_registers_its_schedules_and_stops_when_asked(running, number):
    process, said = running

    process.send_signal(number)
    rest = process.communicate()[1]

    assert process.returncode == DONE
    assert [line.split()[2] for line in said[: len(JOBS)]] == list(JOBS)
    assert rest.rstrip().endswith("stopped")


def test_a_scheduler_that_calls_by_itself_needs_no_worker(tuppence, monkeypatch):
    monkeypatch.setattr("tuppence.local.scheduler.LocalScheduler.features", frozenset())

    result = tuppence("worker")

    assert result.status == COULD_NOT
    assert "worker --once" in result.stderr


class Stop:
    """An event that is set once everything that was due has been run."""

    def __init__(self, clock, waits):
        self._clock = clock
        self._waits = waits

    def is_set(self):
        return self._waits == 0

    def wait(self, seconds):
        self._waits -= 1
        self._clock.sleep(seconds)


def test_what_is_due_is_run_when_it_is_due(runtime, clock):
    work = Worker(runtime, Silent())

    work.until(Stop(clock, waits=16))

    assert work.ran["drain"] == 1
    assert "seal" not in work.ran
    assert not work.failed


class Silent:
    def note(self, text):
        pass
