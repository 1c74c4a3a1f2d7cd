"""A stand-in of Cloud Scheduler on 127.0.0.1: its REST interface, what it refuses, and how it calls.

As https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs and the notes of Google's
own client say (read November 2026). Its wire is checked by that client, in `scheduler/test_service.py`. Jobs
do not fall due by themselves: tests let them, with `fire`.
"""

from __future__ import annotations

import json
import re
import threading
import urllib.error
import urllib.request
from base64 import b64decode
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from aws.faulty import Faulty
from gcp.answers import error_of, told
from gcp.unix_cron import fields

REGIONS = {"europe-west2", "us-central1"}
OFF = "switched-off"
"""A project that has never enabled the service."""
PATH = re.compile(r"/v1/(projects/([^/]+)/locations/([^/:]+))(?:/jobs(?:/([^/:]+))?)?(?::(\w+))?")
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,500}")
GIVEN = {
    "name",
    "description",
    "schedule",
    "timeZone",
    "attemptDeadline",
    "retryConfig",
    "httpTarget",
    "pubsubTarget",
    "appEngineHttpTarget",
}
MADE = {"userUpdateTime", "state", "status", "scheduleTime", "lastAttemptTime"}
METHODS = ["", "POST", "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"]
"""By their numbers, which Google's own client sends."""
TARGET = {"uri", "httpMethod", "headers", "body", "oidcToken", "oauthToken"}
RETRY = {"retryCount", "maxRetryDuration", "minBackoffDuration", "maxBackoffDuration", "maxDoublings"}
LARGEST = 1_000_000
MOST = 500


class Wrong(Exception):  # noqa: N818 - it names a thing
    def __init__(self, status, name, message, **more):
        super().__init__(message)
        self.answer = error_of(status, name, message=message, **more)


class SchedulerService(Faulty):
    """The server. `issuer` signs the tokens of its calls."""

    def __init__(self, issuer=None):
        super().__init__("http://127.0.0.1:1")
        self._server.socket.listen(64)
        self._server.RequestHandlerClass.do_PATCH = self._server.RequestHandlerClass.do_POST
        self._issuer = issuer
        self._turn = threading.RLock()
        self.jobs = {}

    def answer(self, request):
        with self._lock:
            self.asked += 1
        split = urlsplit(request.path)
        found = PATH.fullmatch(split.path)
        if found is None:
            return error_of(404, "NOT_FOUND")
        place, project, region, job_id, action = found.groups()
        asked = {name: values[-1] for name, values in parse_qs(split.query).items()}
        try:
            _check_place(project, region)
            verb = f"{request.method} {action}" if action else request.method
            if "/jobs" not in split.path:
                return told({"name": place, "locationId": region})
            said = json.loads(request.body) if request.body else {}
            if job_id is None:
                return told(self._create(place, said) if verb == "POST" else self._list(place, asked))
            return told(self._one(f"{place}/jobs/{job_id}", verb, said, asked))
        except Wrong as wrong:
            return wrong.answer

    def fire(self, name, due=None):
        """Let a job fall due; call until it succeeds or its tries are used up. Return the statuses."""
        job = self.jobs[name]
        if job["state"] != "ENABLED":
            return []
        due = due or datetime.now(UTC)
        statuses = []
        for _ in range(1 + job.get("retryConfig", {}).get("retryCount", 0)):
            statuses.append(self._call(job, due))
            if statuses[-1] // 100 == 2:
                break
        return statuses

    def _create(self, place, said):
        name = said.get("name") or f"{place}/jobs/{len(self.jobs)}"
        if name.rpartition("/jobs/")[0] != place or not JOB_ID.fullmatch(name.rpartition("/")[2]):
            raise _invalid(f"Job name must be formatted: {place}/jobs/<JOB_ID>")
        job = _checked({**said, "name": name})
        with self._turn:
            if name in self.jobs:
                raise Wrong(409, "ALREADY_EXISTS", f"Job {name} already exists.")
            self.jobs[name] = {"timeZone": "UTC", **job, "state": "ENABLED", "userUpdateTime": _now()}
            return self.jobs[name]

    def _list(self, place, asked):
        size = min(int(asked.get("pageSize") or MOST), MOST)
        start = int(asked.get("pageToken") or 0)
        here = sorted(name for name in self.jobs if name.startswith(f"{place}/jobs/"))
        page = {"jobs": [self.jobs[name] for name in here[start : start + size]]}
        return page | ({"nextPageToken": f"{start + size}"} if here[start + size :] else {})

    def _one(self, name, verb, said, asked):
        with self._turn:
            if name not in self.jobs:
                raise Wrong(404, "NOT_FOUND", "Job not found.")
            job = self.jobs[name]
            if verb == "DELETE":
                del self.jobs[name]
                return {}
            if verb == "PATCH":
                mask = [_camel(one) for one in asked.get("updateMask", "").split(",") if one] or [*GIVEN]
                if unknown := set(mask) - GIVEN:
                    raise _invalid(f"Invalid update mask: {unknown}")
                kept = {key: value for key, value in job.items() if key not in set(mask) - {"name"}}
                changed = {key: value for key, value in said.items() if key in mask}
                self.jobs[name] = {**kept, **_checked({**kept, **changed, "name": name}), **_made(kept)}
            elif verb in {"POST pause", "POST resume"}:
                job["state"] = "PAUSED" if verb.endswith("pause") else "ENABLED"
            elif verb == "POST run":
                self._call(job, datetime.now(UTC))
            elif verb != "GET":
                raise _invalid(verb)
            return self.jobs[name]

    def _call(self, job, due):
        """Make one call, as the service does; return its status."""
        target = job["httpTarget"]
        headers = {
            **target.get("headers", {}),
            "User-Agent": "Google-Cloud-Scheduler",
            "X-CloudScheduler": "true",
            "X-CloudScheduler-JobName": job["name"].rpartition("/")[2],
            "X-CloudScheduler-ScheduleTime": f"{due:%Y-%m-%dT%H:%M:%SZ}",
        }
        if token := target.get("oidcToken"):
            audience = token.get("audience") or target["uri"]
            headers |= self._issuer.bearer(audience, token["serviceAccountEmail"])
        body = b64decode(target.get("body", ""))
        request = urllib.request.Request(target["uri"], body, headers, method=target["httpMethod"])
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
            error.close()
        job |= {"lastAttemptTime": _now(), "status": {} if status // 100 == 2 else {"code": 13}}
        return status


def _check_place(project, region):
    if project == OFF:
        info = {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": {"service": "cloudscheduler.googleapis.com", "consumer": f"projects/{project}"},
        }
        raise Wrong(403, "PERMISSION_DENIED", "Cloud Scheduler API has not been used", details=[info])
    if region not in REGIONS:
        raise Wrong(404, "NOT_FOUND", f"Location '{region}' is not a valid location.")


def _checked(job):
    """Return what is kept of a job that the service would take."""
    if unknown := set(job) - GIVEN - MADE:
        raise _invalid(f"Unknown name {unknown}")
    try:
        fields(job.get("schedule", ""))
    except ValueError as error:
        raise _invalid(f"Schedule or time zone is invalid: {error}") from error
    try:
        ZoneInfo(job.get("timeZone") or "UTC")
    except (KeyError, ValueError, OSError) as error:
        raise _invalid("Schedule or time zone is invalid.") from error
    if len(job.get("description", "")) > 500:
        raise _invalid("Description is too long.")
    if len({"httpTarget", "pubsubTarget", "appEngineHttpTarget"} & set(job)) != 1:
        raise _invalid("Exactly one target is needed.")
    if "httpTarget" in job:
        method = job["httpTarget"].get("httpMethod", "POST")
        method = METHODS[method] if isinstance(method, int) else method
        job = {**job, "httpTarget": {**job["httpTarget"], "httpMethod": method}}
        _check_target(job["httpTarget"])
    retry = job.get("retryConfig", {})
    if set(retry) - RETRY or not 0 <= retry.get("retryCount", 0) <= 5:
        raise _invalid("RetryConfig is invalid.")
    if not 15 <= _seconds(job.get("attemptDeadline", "180s")) <= 1800:
        raise _invalid("The deadline must be in the interval [15s, 1800s].")
    if len(json.dumps(job)) > LARGEST:
        raise _invalid("Job size exceeds the limit.")
    return {key: value for key, value in job.items() if key in GIVEN}


def _check_target(target):
    body = target.get("body", "")
    if set(target) - TARGET or not re.match(r"https?://.", target.get("uri", "")):
        raise _invalid("HttpTarget is invalid.")
    if body and target["httpMethod"] not in {"POST", "PUT", "PATCH"}:
        raise _invalid("Only POST, PUT and PATCH have a body.")
    try:
        b64decode(body, validate=True)
    except ValueError as error:
        raise _invalid("HttpTarget.body is no base64.") from error
    if "oidcToken" in target and "@" not in target["oidcToken"].get("serviceAccountEmail", ""):
        raise _invalid("OidcToken names no service account.")


def _made(job):
    return {key: value for key, value in job.items() if key in MADE} | {"userUpdateTime": _now()}


def _invalid(message):
    return Wrong(400, "INVALID_ARGUMENT", message)


def _seconds(text):
    found = re.fullmatch(r"([0-9.]+)s", text)
    return float(found[1]) if found else -1


def _camel(name):
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _now():
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
