"""What there is to say of the queue, beside whether it works."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Role
from tuppence.findings import Finding, note, ok, wrong
from tuppence_aws.errors import translate
from tuppence_aws.findings import caller, if_there, looked, whose
from tuppence_aws.names import named
from tuppence_aws.session import Session

if TYPE_CHECKING:
    from tuppence_aws.queue import SqsQueue

KEPT: Final = timedelta(days=14)
"""The longest SQS keeps a message, which is what deployment asks for."""
LARGEST: Final = 256 * 1024
"""Bytes of a message that the queue has to take."""
_OPERATION: Final = "queue.findings"
_DEPLOY: Final = "`tuppence deploy` mends it."


def findings(queue: SqsQueue, deadline: Deadline) -> Iterator[Finding]:
    """Look at the queue, at the one for what came too often, and at the policy of applications."""
    looks = [partial(look, queue) for look in (_settings, _set_aside, _producer)]
    return looked(deadline, whose(queue.options), *looks)


def _settings(queue: SqsQueue, deadline: Deadline) -> Iterator[Finding]:
    found = queue.attributes(_OPERATION, ["All"], deadline)
    kind = "FIFO" if found.get("FifoQueue") == "true" else "standard"
    kept = _kept(found)
    detail = f"{queue.name}: {kind}, {_aside(found)}, keeps messages for {kept.days} days"
    if kept < KEPT:
        yield note(f"{detail}, of {KEPT.days} possible; what is not drained by then is lost", _DEPLOY)
    else:
        yield ok(detail)
    size = int(found.get("MaximumMessageSize", LARGEST))
    if size < LARGEST:
        detail = f"{queue.name} takes messages of {size} bytes at most, and they may have {LARGEST}"
        yield wrong(detail, _DEPLOY)


def _set_aside(queue: SqsQueue, deadline: Deadline) -> Iterator[Finding]:
    aside = queue.dead_letters()
    assert aside is not None, "only the queue for dead letters has none"
    try:
        found = if_there(lambda: aside.attributes(_OPERATION, ["All"], deadline))
    finally:
        aside.close()
    if found is None:
        yield wrong(f"there is no queue {aside.name} for what comes too often", _DEPLOY)
    elif waiting := int(found.get("ApproximateNumberOfMessages", 0)):
        detail = f"{waiting} messages that came too often wait in {aside.name}"
        yield note(detail, "`tuppence drain` stores them as dead letters.")


def _producer(queue: SqsQueue, deadline: Deadline) -> Iterator[Finding]:
    name = named(queue.context.project, Role.PRODUCER.value, _OPERATION)
    found = caller(queue.options, deadline)
    arn = f"arn:{found.partition}:iam::{found.account}:policy/{name}"
    policy = if_there(lambda: _policy(queue, arn, deadline))
    if policy is None:
        yield note(f"there is no policy {name} that lets an application send", _DEPLOY)
    elif policy.get("AttachmentCount", 0):
        yield ok(f"the policy {name} lets whoever has it send")
    else:
        detail = f"nobody has the policy {name}, which lets an application send"
        yield note(detail, f"Attach {arn} to your application's role or user.")


def _policy(queue: SqsQueue, arn: str, deadline: Deadline) -> Any:
    session = Session("iam", queue.options)
    try:
        client = session.client(_OPERATION, deadline)
        with translate(_OPERATION, needs=f"iam:GetPolicy on {arn}"):
            return client.get_policy(PolicyArn=arn)["Policy"]
    finally:
        session.close()


def _kept(found: dict[str, str]) -> timedelta:
    return timedelta(seconds=int(found.get("MessageRetentionPeriod", 0)))


def _aside(found: dict[str, str]) -> str:
    """Return in words where messages that come too often go."""
    try:
        policy = msgspec.json.decode(found.get("RedrivePolicy", ""), type=dict[str, int | str])
    except msgspec.MsgspecError:
        return "sets nothing aside"
    target = str(policy.get("deadLetterTargetArn", "")).rpartition(":")[2]
    return f"sets aside into {target} what came {policy.get('maxReceiveCount')} times"
