"""The stand-in of Cloud Scheduler, looked at by Google's own client, and by what it refuses."""

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud.scheduler_v1 import CloudSchedulerClient, Job
from google.cloud.scheduler_v1.services.cloud_scheduler.transports import CloudSchedulerRestTransport
from google.protobuf.field_mask_pb2 import FieldMask

from gcp.issuer import INVOKER, claims
from gcp.scheduler_service import OFF
from gcp.unix_cron import fields, runs

PLACE = "projects/proj/locations/europe-west2"
TICK = {
    "name": f"{PLACE}/jobs/tick",
    "schedule": "*/5 * * * *",
    "time_zone": "Europe/Zurich",
    "attempt_deadline": {"seconds": 60},
    "retry_config": {"retry_count": 2},
    "http_target": {
        "uri": "http://127.0.0.1:1/x",
        "http_method": "POST",
        "body": b'{"job": "drain"}',
        "oidc_token": {"service_account_email": INVOKER},
    },
}


@pytest.fixture
def google(scheduler_service):
    transport = CloudSchedulerRestTransport(
        host=scheduler_service.url, url_scheme="http", credentials=AnonymousCredentials()
    )
    with CloudSchedulerClient(transport=transport) as client:
        yield client


def changed(**fields_):
    return Job({**TICK, **fields_})


def test_googles_client_makes_reads_changes_and_removes_a_job(google):
    made = google.create_job(parent=PLACE, job=Job(TICK))

    assert made.state is Job.State.ENABLED
    assert google.get_job(name=made.name).http_target.body == b'{"job": "drain"}'

    later = changed(schedule="0 7 * * MON", description="weekly")
    google.update_job(job=later, update_mask=FieldMask(paths=["schedule"]))
    found = google.get_job(name=made.name)

    assert (found.schedule, found.description, found.time_zone) == ("0 7 * * MON", "", "Europe/Zurich")
    assert google.pause_job(name=made.name).state is Job.State.PAUSED
    assert google.resume_job(name=made.name).state is Job.State.ENABLED
    google.delete_job(name=made.name)
    assert list(google.list_jobs(parent=PLACE)) == []


def test_googles_client_lists_by_pages(google):
    names = [f"{PLACE}/jobs/job-{number}" for number in range(5)]
    for name in names:
        google.create_job(parent=PLACE, job=changed(name=name))

    pages = [
        [job.name for job in page.jobs]
        for page in google.list_jobs(request={"parent": PLACE, "page_size": 2}).pages
    ]

    assert pages == [names[:2], names[2:4], names[4:]]


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda one: one.create_job(parent=PLACE, job=Job(TICK)), exceptions.Conflict),
        (lambda one: one.get_job(name=f"{PLACE}/jobs/other"), exceptions.NotFound),
        (lambda one: one.delete_job(name=f"{PLACE}/jobs/other"), exceptions.NotFound),
        (lambda one: one.update_job(job=changed(name=f"{PLACE}/jobs/other")), exceptions.NotFound),
        (lambda one: list(one.list_jobs(parent="projects/proj/locations/nowhere")), exceptions.NotFound),
        (
            lambda one: list(one.list_jobs(parent=f"projects/{OFF}/locations/europe-west2")),
            exceptions.Forbidden,
        ),
    ],
    ids=["there already", "get", "delete", "update", "nowhere", "switched off"],
)
def test_googles_client_is_told_what_is_there_and_what_is_not(google, call, error):
    google.create_job(parent=PLACE, job=Job(TICK))

    with pytest.raises(error):
        call(google)


@pytest.mark.parametrize(
    "wrong",
    [
        {"schedule": "60 * * * *"},
        {"schedule": "0 7 L * *"},
        {"schedule": "0 7 * * mon"},
        {"schedule": "0 7 * *"},
        {"time_zone": "Europe/Londinium"},
        {"name": f"{PLACE}/jobs/a.b"},
        {"name": f"{PLACE}/jobs/{'x' * 501}"},
        {"name": "projects/proj/locations/us-central1/jobs/x"},
        {"description": "x" * 501},
        {"attempt_deadline": {"seconds": 1801}},
        {"attempt_deadline": {"seconds": 14}},
        {"retry_config": {"retry_count": 6}},
        {"http_target": {"uri": "ftp://x"}},
        {"http_target": {"uri": "http://x", "http_method": "GET", "body": b"x"}},
        {"http_target": {"uri": "http://x", "oidc_token": {"service_account_email": "nobody"}}},
        {"http_target": {"uri": "http://x", "body": b"x" * 1_000_000}},
    ],
    ids=lambda wrong: str(wrong)[:40],
)
def test_what_the_service_documents_as_wrong_is_refused(google, scheduler_service, wrong):
    with pytest.raises(exceptions.BadRequest):
        google.create_job(parent=PLACE, job=changed(**wrong))

    assert scheduler_service.jobs == {}


@pytest.fixture
def target():
    """A server that notes how it is called, and answers with the next of `statuses`, or with 200."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.seen.append((self.path, dict(self.headers), body))
            self.send_response(server.statuses.pop(0) if server.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.statuses = [], []
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_job_that_is_due_is_called_with_a_token_until_it_succeeds(google, scheduler_service, target):
    uri = f"http://127.0.0.1:{target.server_port}/drain"
    google.create_job(parent=PLACE, job=changed(http_target={**TICK["http_target"], "uri": uri}))
    target.statuses = [500, 503]

    statuses = scheduler_service.fire(TICK["name"], datetime(2026, 11, 16, 9, 30, tzinfo=UTC))

    assert statuses == [500, 503, 200]
    path, headers, body = target.seen[-1]
    told = claims(headers["Authorization"].removeprefix("Bearer "))
    assert (path, json.loads(body)) == ("/drain", {"job": "drain"})
    assert (told["aud"], told["email"]) == (uri, INVOKER)
    assert {one["X-Cloudscheduler-Scheduletime"] for _, one, _ in target.seen} == {"2026-11-16T09:30:00Z"}


def test_a_job_that_is_paused_is_not_called(google, scheduler_service):
    google.create_job(parent=PLACE, job=Job(TICK))
    google.pause_job(name=TICK["name"])

    assert scheduler_service.fire(TICK["name"]) == []


def test_either_of_two_restricted_days_is_enough():
    after = datetime(2026, 11, 1, tzinfo=UTC)

    found = runs("0 0 13 * FRI", "UTC", after, 4)

    assert [moment.day for moment in found] == [6, 13, 20, 27]


@pytest.mark.parametrize(
    "line", ["", "* * * * * *", "0 7 ? * 1", "0 7 * * 2#1", "5-1 * * * *", "*/0 * * * *", "0 7 * MAY-FEB *"]
)
def test_a_line_that_is_none_has_no_fields(line):
    with pytest.raises(ValueError, match=r"."):
        fields(line)
