"""The compute driver: functions of Cloud Run, called by Cloud Scheduler and by Pub/Sub.

Options: `CloudRunOptions`.
Delivery: a push of Pub/Sub, or an event of Eventarc, each with one message. An answer that is no success lets
it come again.
Runs: a request with `{"job": …, "payload": {…}}`. What raises has failed, and is answered with 500, so that
Cloud Scheduler calls again; a request that cannot be read, or names no job, with 400.
Callers: `tuppence_gcp.callers`.
Limits: 60 minutes a call, of which Cloud Scheduler waits for 30; 32 MiB a request.
Errors: `tuppence_gcp.errors`.
Permissions: none; those of a function are the ones of the parts it uses.
Emulator: functions-framework, which runs functions at Google's too; what calls it, in tests, is ours.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import (
    BatchHandler,
    ComputeDriver,
    Context,
    Feature,
    NativeHandler,
    Permission,
    Role,
    Run,
    RunHandler,
)
from tuppence.errors import ConfigError, DriverError, ErrorCode
from tuppence.findings import Finding
from tuppence_gcp.callers import Callers, NotLetIn
from tuppence_gcp.errors import failure, switched_off
from tuppence_gcp.messages import Pushed
from tuppence_gcp.names import account_named, account_of, function_named
from tuppence_gcp.session import GcpOptions, Session

CHECK_WAIT: Final = 5.0
FUNCTIONS: Final = {"drain": "drain", "seal": "seal", "purge": "seal", "report": "report"}
"""Which function runs a job. Purging follows sealing."""
CONSUME: Final = "consume"
"""The function that Pub/Sub calls itself, where the configuration says so."""
CONSUMES: Final = timedelta(seconds=60)
"""How long it takes for one message at most."""
INVOKE: Final = "invoke"
"""The account as which functions are called."""
REGION: Final = "us-central1"
"""One of the three whose Cloud Storage is free to 5 GB (https://cloud.google.com/free, November 2026)."""
LONGEST: Final = timedelta(minutes=60)
"""https://cloud.google.com/functions/quotas#time_limits, not verified."""
WAITED: Final = timedelta(minutes=30)
"""How long Cloud Scheduler waits for an answer at most (API reference of Job, read November 2026)."""
_DUE: Final = "X-CloudScheduler-ScheduleTime"
"""When a run was due: the same for all that is tried of it."""
_RUN_BYTES: Final = 8
_DONE: Final = ("", 204)
_BAD: Final = 400
_AGAIN: Final = 503

Answered = tuple[str, int]


class CloudRunOptions(GcpOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the functions are deployed with, and who may call them.

    Attributes:
        region: where they are.
        memory: of each function, in MiB; Cloud Run gives CPU in proportion.
        timeout: how long one call may take, at most 60 minutes; Cloud Scheduler waits for 30.
        function_url: their address, `{function}` standing for `drain`, `seal`, `report` or `consume`; empty
            means the one that Google gives a function.
        invoker: the service account as which they are called; empty means the one that deployment makes.
        create_database: whether `tuppence deploy` makes the database; false where there is one.
        certificates: where those of an emulator's keys are, on this machine only; empty means Google's.

    """

    region: str = REGION
    memory: int = 512
    timeout: timedelta = timedelta(minutes=15)
    function_url: str = ""
    invoker: str = ""
    create_database: bool = True
    certificates: str = ""

    def __post_init__(self) -> None:
        """Refuse what Cloud Run would, and certificates that are not from this machine."""
        if not timedelta(0) < self.timeout <= LONGEST:
            raise ValueError(f"timeout must be up to {LONGEST // timedelta(minutes=1)} minutes")
        if self.certificates and not re.fullmatch(r"http://127\.0\.0\.1:\d+/\S*", self.certificates):
            raise ValueError(
                "certificates are Google's, or of an emulator at http://127.0.0.1:…; leave it out"
            )


class _Asked(msgspec.Struct):
    """What a run is asked for."""

    job: str
    payload: dict[str, str] = {}
    run_id: str = ""


class _State(msgspec.Struct, frozen=True):
    message: str = ""


class _Service(msgspec.Struct, frozen=True, rename="camel"):
    service: str = ""


class _Build(msgspec.Struct, frozen=True):
    runtime: str = ""


class Function(msgspec.Struct, rename="camel"):
    """A function, as far as it matters here."""

    name: str
    state: str = ""
    state_messages: list[_State] = []
    service_config: _Service = _Service()
    build_config: _Build = _Build()

    @property
    def unfit(self) -> str:
        """Why it cannot be called, or nothing."""
        if self.state == "ACTIVE":
            return ""
        why = "; ".join(one.message for one in self.state_messages if one.message)
        return f"{self.name.rpartition('/')[2]} is {self.state or 'not ready'}: {why or 'wait a minute'}"


class CloudRunCompute(ComputeDriver):
    """Functions of Cloud Run."""

    Options = CloudRunOptions
    features = frozenset({Feature.NATIVE_TRIGGER})

    def __init__(self, options: CloudRunOptions, context: Context) -> None:
        super().__init__(options, context)
        self._session = Session(
            "https://cloudfunctions.googleapis.com", "FUNCTIONS_EMULATOR_HOST", options, context.clock
        )
        self._callers = Callers(context.clock, options.certificates)

    @property
    def time(self) -> timedelta:
        """How long a call may take that Cloud Scheduler makes."""
        longest: timedelta = self.options.timeout
        return min(longest, WAITED)

    def check(self) -> None:
        """Prove that the functions are there and can be called."""
        project, operation = self.context.project, "compute.check"
        function_named(project, CONSUME, operation)  # the longest of the names
        for part in dict.fromkeys(FUNCTIONS.values()):
            name = function_named(project, part, operation)
            function = self.function(name, operation, Deadline.after(CHECK_WAIT, self.context.clock))
            if function.unfit:
                raise failure(ErrorCode.UNAVAILABLE, operation, function.unfit)

    def findings(
        self,
        *,
        deadline: Deadline,
        permissions: Mapping[Role, Sequence[Permission]] | None = None,  # noqa: ARG002 - there is no such look
    ) -> Iterable[Finding]:
        """Look at each function, and at who may call it."""
        from tuppence_gcp.findings.functions import findings

        return findings(self, deadline)

    def consumer(self, handle: BatchHandler, /) -> NativeHandler:
        """Return what a push of Pub/Sub calls, as a function of a request."""

        def consume(request: Any) -> Answered:
            def work() -> None:
                self._take(handle, _read(request.get_data(), Pushed))

            return self._answered(request.headers, work)

        return consume

    def listener(self, handle: BatchHandler, /) -> NativeHandler:
        """Return what Eventarc calls with a message as an event; only within functions-framework."""
        from flask import Response, abort, request

        def listen(event: Any) -> None:
            def work() -> None:
                try:
                    pushed = msgspec.convert(event.data, Pushed)
                except msgspec.ValidationError as error:
                    raise _BadRequest("the event holds no message") from error
                self._take(handle, pushed)

            body, status = self._answered(dict(request.headers), work)
            if status != _DONE[1]:
                abort(Response(body, status))

        return listen

    def runner(self, handle: RunHandler, /) -> NativeHandler:
        """Return what a schedule calls, as a function of a request."""

        def run(request: Any) -> Answered:
            def work() -> None:
                asked = _read(request.get_data(), _Asked)
                run_id = asked.run_id or _run_id(asked.job, request.headers)
                try:
                    handle(Run(job=asked.job, run_id=run_id, payload=asked.payload))
                except ConfigError as error:  # of a job that there is not
                    raise _BadRequest(str(error)) from error

            return self._answered(request.headers, work)

        return run

    def function(self, name: str, operation: str, deadline: Deadline) -> Function:
        """Return what Google says of a function. Raises `DriverError`."""
        path = f"/v2/{self.place(operation, deadline)}/functions/{name}"
        try:
            return self._session.call(operation, "GET", path, None, Function, deadline=deadline)
        except DriverError as error:
            if off := switched_off(error, operation):
                raise off from error
            if error.code is not ErrorCode.NOT_FOUND:
                raise
            words = f"there is no function {name} in {self.options.region}; `tuppence deploy` creates it"
            raise failure(ErrorCode.NOT_FOUND, operation, words) from error

    def place(self, operation: str, deadline: Deadline) -> str:
        """Return project and region, as Google's addresses have them. Raises `DriverError`."""
        return f"projects/{self._session.project(operation, deadline)}/locations/{self.options.region}"

    def close(self) -> None:
        """Let the connection go."""
        self._session.close()

    def _answered(self, headers: Mapping[str, str], work: Callable[[], None]) -> Answered:
        """Do the work of a call that may be made; return the answer. The platform tells what it raises."""
        try:
            self._admit(headers)
            work()
        except NotLetIn as error:
            return _refused(error.status, error.reason)
        except _BadRequest as error:
            return _refused(_BAD, str(error))
        except _Again:
            return "", _AGAIN
        return _DONE

    def _admit(self, headers: Mapping[str, str]) -> None:
        deadline = Deadline.after(CHECK_WAIT, self.context.clock)
        project = self._session.project("compute.call", deadline)
        self._callers.admit(
            headers,
            audiences=self._audiences(project),
            account=invoker(self.options, self.context.project, project),
        )

    def _audiences(self, project: str) -> set[str]:
        """Return the addresses that this function has; where it is not told which one it is, those of all."""
        own = os.environ.get("K_SERVICE", "")
        parts = {*FUNCTIONS.values(), CONSUME}
        named = {function_named(self.context.project, part, "compute.call"): part for part in parts}
        chosen = {own: named[own]} if own in named else {} if own else named
        return {
            function_url(self.options, self.context.project, part, project, "compute.call")
            for part in chosen.values()
        }

    def _take(self, handle: BatchHandler, pushed: Pushed) -> None:
        """Hand a message on. Pub/Sub waits for as long as the function may take."""
        if handle([pushed.delivery(self.context.clock.now() + CONSUMES)]):
            raise _Again


class _BadRequest(Exception):  # noqa: N818 - it names a thing
    """A request that says nothing, in words without its content."""


class _Again(Exception):  # noqa: N818 - as above
    """A message that has to come again."""


def function_url(options: Any, project: str, part: str, place: str, operation: str) -> str:
    """Return the address of a function: the one configured, or else the one that Google gives it.

    Args:
        options: with `region` and `function_url`.
        project: as in tuppence.toml.
        part: which function.
        place: Google's id of the project.
        operation: for errors.

    """
    if options.function_url:
        return str(options.function_url).replace("{function}", part)
    name = function_named(project, part, operation)
    return f"https://{options.region}-{place}.cloudfunctions.net/{name}"


def invoker(options: Any, project: str, place: str) -> str:
    """Return the address of the account as which functions are called."""
    return str(options.invoker) or account_of(account_named(project, INVOKE), place)


def _read(body: bytes, kind: type[Any]) -> Any:
    """Return what a request holds."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        example = '; try {"job": "drain"}' if kind is _Asked else ""
        raise _BadRequest(f"the request cannot be read{example}") from error


def _run_id(job: str, headers: Mapping[str, str]) -> str:
    """Return what a run is known by: when it was due. One that is called by hand gets a name of its own."""
    return f"{job}@{headers.get(_DUE) or secrets.token_hex(_RUN_BYTES)}"


def _refused(status: int, reason: str) -> Answered:
    """Say in the log why a call was refused, as Cloud Logging reads it; return the answer."""
    told = {"severity": "WARNING", "message": f"a call was refused: {reason}", "status": status}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
    return reason if status == _BAD else "", status
