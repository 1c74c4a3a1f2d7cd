"""The compute driver: what Lambda calls, with SQS messages and from EventBridge Scheduler.

Options: `LambdaOptions`.
Delivery: SQS's event source mapping, with `ReportBatchItemFailures`. In a FIFO queue everything of a group
that follows a failure is reported too, so that it comes again in its order. An exception lets everything come
again.
Runs: `{"job": …, "run_id": …, "payload": {…}}`. What raises has failed; Lambda calls it again up to twice.
Limits: Lambda's of 15 minutes and 6 MB a call.
Errors: `tuppence_aws.errors`.
Permissions: none; those of a function are the ones of the parts it uses.
Emulator: ministack runs the functions, moto only keeps them.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from tuppence.clock import Deadline
from tuppence.drivers import (
    BatchHandler,
    ComputeDriver,
    Context,
    Delivery,
    Feature,
    ItemError,
    NativeHandler,
    Permission,
    Role,
    Run,
    RunHandler,
)
from tuppence.errors import ErrorCode
from tuppence.findings import Finding
from tuppence_aws.errors import failure, translate
from tuppence_aws.messages import ATTRIBUTE, read
from tuppence_aws.names import arn, named
from tuppence_aws.session import AwsOptions, Session, region_of

CHECK_WAIT: Final = 5.0
FUNCTIONS: Final = {"drain": "drain", "seal": "seal", "purge": "seal", "report": "report"}
"""Which function runs a job. DynamoDB deletes what has expired, so `purge` has no function of its own."""
CONSUME: Final = "consume"
"""The function that SQS calls itself, where the configuration says so."""
_TEMPLATE: Final = re.compile(r"<aws\.scheduler\.[a-z-]+>")
"""What EventBridge Scheduler replaces, and an emulator may leave as it is
(https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html).
"""


class LambdaOptions(AwsOptions, frozen=True, kw_only=True):
    """What the functions are deployed with.

    Attributes:
        architecture: `arm64`, which is billed a fifth less, or `x86_64`.
        memory: of each function, in MB; Lambda gives CPU in proportion.
        timeout: how long one call may take, at most 15 minutes.

    """

    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory: int = 512
    timeout: timedelta = timedelta(minutes=15)


class LambdaCompute(ComputeDriver):
    """Functions of AWS Lambda."""

    Options = LambdaOptions
    features = frozenset({Feature.NATIVE_TRIGGER})

    def __init__(self, options: LambdaOptions, context: Context) -> None:
        super().__init__(options, context)
        self._session = Session("lambda", options)

    def check(self) -> None:
        """Prove that the functions are there and can be called."""
        project, operation = self.context.project, "compute.check"
        named(project, CONSUME, operation)  # the longest of the names
        for part in dict.fromkeys(FUNCTIONS.values()):
            function = self.function(named(project, part, operation), operation, self._check_deadline())
            if words := unfit(function):
                raise failure(ErrorCode.UNAVAILABLE, operation, words)

    def findings(
        self, *, deadline: Deadline, permissions: Mapping[Role, Sequence[Permission]] | None = None
    ) -> Iterable[Finding]:
        """Look at each function and what its role may do, at the account's quota, and at what SQS calls."""
        from tuppence_aws.findings.functions import findings

        return findings(self, deadline, permissions or {})

    def consumer(self, handle: BatchHandler, /) -> NativeHandler:
        """Return what an event source mapping of SQS calls; it answers which messages come again."""

        def consume(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
            records = event.get("Records", [])
            errors = handle(_deliveries(records, self._left(context)))
            again = sorted({error.position for error in errors} | _behind(records, errors))
            return {"batchItemFailures": [{"itemIdentifier": records[n]["messageId"]} for n in again]}

        return consume

    def runner(self, handle: RunHandler, /) -> NativeHandler:
        """Return what a schedule calls."""

        def run(event: Mapping[str, Any], context: Any) -> None:
            handle(_run(event, str(context.aws_request_id)))

        return run

    def function(self, name: str, operation: str, deadline: Deadline) -> Any:
        """Return what Lambda says of a function. Raises `DriverError`."""
        client = self._session.client(operation, deadline)
        needs = f"lambda:GetFunctionConfiguration on {self.arn(name)}"
        with translate(operation, needs=needs):
            try:
                return client.get_function_configuration(FunctionName=name)
            except client.exceptions.ResourceNotFoundException as error:
                words = f"there is no function {name}; `tuppence deploy` creates it"
                raise failure(ErrorCode.NOT_FOUND, operation, words) from error

    def arn(self, name: str) -> str:
        """Return a function's ARN, as far as it is known."""
        return arn("lambda", region_of(self.options), f"function:{name}")

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def _left(self, context: Any) -> datetime:
        """Return when this call must be over: for as long SQS keeps its messages from others."""
        return self.context.clock.now() + timedelta(milliseconds=context.get_remaining_time_in_millis())

    def _check_deadline(self) -> Deadline:
        return Deadline.after(CHECK_WAIT, self.context.clock)


def unfit(function: Mapping[str, Any]) -> str:
    """Return why a function cannot be called, or nothing. An idle one wakes when it is called."""
    name, state = function["FunctionName"], function.get("State", "Active")
    if state not in {"Active", "Inactive"}:
        return f"{name} is {state}: {function.get('StateReason') or 'wait a minute'}"
    return ""


def _deliveries(records: Sequence[Mapping[str, Any]], expires: datetime) -> list[Delivery]:
    return [
        Delivery(
            message=read(
                service_id=record["messageId"],
                body=record["body"],
                payload=_payload(record),
                group=record["attributes"].get("MessageGroupId", ""),
            ),
            receipt=record["receiptHandle"],
            expires=expires.astimezone(UTC),
            attempt=int(record["attributes"]["ApproximateReceiveCount"]),
        )
        for record in records
    ]


def _payload(record: Mapping[str, Any]) -> bytes | None:
    attribute = record.get("messageAttributes", {}).get(ATTRIBUTE)
    return None if attribute is None else b64decode(attribute["binaryValue"])


def _behind(records: Sequence[Mapping[str, Any]], errors: Sequence[ItemError]) -> set[int]:
    """Return the positions behind the first failure of their group, in a queue that keeps order."""
    failed = {error.position for error in errors}
    broken: set[str] = set()
    behind = set()
    for position, record in enumerate(records):
        if not record["eventSourceARN"].endswith(".fifo"):
            continue
        group = record["attributes"]["MessageGroupId"]
        if group in broken:
            behind.add(position)
        elif position in failed:
            broken.add(group)
    return behind


def _run(event: Mapping[str, Any], request: str) -> Run:
    """Return the run an event asks for. One without an id of its own has that of Lambda's call.

    Lambda keeps it when it repeats a call.
    """
    job, run_id, payload = event.get("job"), event.get("run_id"), event.get("payload", {})
    if not isinstance(job, str) or not isinstance(payload, Mapping):
        words = 'the event names no job; a test event is {"job": "drain"}'
        raise failure(ErrorCode.INVALID, "compute.runner", words)
    if not isinstance(run_id, str) or not run_id or _TEMPLATE.fullmatch(run_id):
        run_id = request
    return Run(job=job, run_id=run_id, payload={str(key): str(value) for key, value in payload.items()})
