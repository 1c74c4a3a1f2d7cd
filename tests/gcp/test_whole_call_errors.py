"""No error of a whole call to Pub/Sub removes an event: kept while it lasts, counted once it is over."""

import pytest

from aws.faulty import Faulty
from gcp.answers import error_of
from gcp.queues import queues_at
from pipeline.whole_calls import PROJECT, Project, check

DISABLED = [{"reason": "SERVICE_DISABLED", "metadata": {"service": "pubsub.googleapis.com"}}]
ERRORS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ABORTED": 409,
    "ALREADY_EXISTS": 409,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "DATA_LOSS": 500,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""https://cloud.google.com/pubsub/docs/reference/error-codes, read November 2026."""


@pytest.mark.slow  # each of the errors is met by a client of its own
def test_no_error_of_a_whole_call_removes_an_event(
    monitored_url, pubsub_url, tmp_path, monkeypatch, record_property
):
    answers = {name: error_of(status, name) for name, status in ERRORS.items()}
    answers["API disabled"] = error_of(403, "PERMISSION_DENIED", details=DISABLED)
    answers["no words at all"] = error_of(400, "")
    current = [answers["UNKNOWN"]]

    def failing(request, forward):
        return current[0]

    with queues_at(pubsub_url, PROJECT), Faulty(monitored_url, (failing,)).running() as proxy:
        project = Project(tmp_path, {"provider": "gcp", "endpoint": proxy.url})

        def fail_with(answer):
            current[0] = answer
            proxy.rate = 1.0

        def mend():
            proxy.rate = 0.0

        for name, answer in answers.items():
            project.capture_through(name, lambda answer=answer: fail_with(answer), mend)
        project.capture_through(
            "no project",
            lambda: monkeypatch.delenv("GOOGLE_CLOUD_PROJECT"),
            lambda: monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "proj"),
        )
        counted = project.counted()

    check(project, counted)
    record_property("summary", project.table("Pub/Sub"))
