"""What Azure's host hands a function, turned into its arguments by Microsoft's own library.

The shapes are those of the worker's protocol (azure-functions-language-worker-protobuf, `TypedData`), and
of https://github.com/Azure/azure-webjobs-sdk-extensions, `TimerInfo`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter
from azure.functions.servicebus import ServiceBusMessageInConverter
from azure.functions.timer import TimerRequestConverter

NO_TIME = "0001-01-01T00:00:00"
MOMENT = "2026-11-16T09:30:00+00:00"


@dataclass(frozen=True)
class Called:
    """The part of the context object that functions use."""

    function_name: str = "consume"
    invocation_id: str = "8a9c1a6e-3e4c-4f6e-9f0a-52a4a6d7f0b1"


def timer_of(last: datetime | None, planned: datetime | None, *, past_due=False):
    """Return a timer's argument: when it last fired, and when it should have now."""
    return TimerRequestConverter.decode(
        Datum(timer_text(last, planned, past_due=past_due), "json"), trigger_metadata={}
    )


def timer_text(last, planned, *, past_due=False):
    status = {
        "Last": last.isoformat() if last else NO_TIME,
        "Next": planned.isoformat() if planned else NO_TIME,
        "LastUpdated": last.isoformat() if last else NO_TIME,
    }
    return json.dumps({"Schedule": {"AdjustForDST": True}, "ScheduleStatus": status, "IsPastDue": past_due})


def from_storage(text, number=0, *, count=1):
    """Return the argument that a Storage Queue's message becomes, with `messageEncoding` `none`."""
    return QueueMessageInConverter.decode(
        Datum(text, "string"),
        trigger_metadata={name: Datum(*told) for name, told in storage_metadata(number, count).items()},
    )


def storage_metadata(number=0, count=1):
    """Return what the host tells of a Storage Queue's message, and each one's type."""
    return {
        "Id": (f"00000000-0000-0000-0000-{number:012}", "string"),
        "DequeueCount": (json.dumps(count), "json"),
        "PopReceipt": (f"receipt-{number}", "string"),
        "InsertionTime": (json.dumps(MOMENT), "json"),
        "ExpirationTime": (json.dumps("9999-12-31T23:59:59+00:00"), "json"),
        "NextVisibleTime": (json.dumps(MOMENT), "json"),
    }


def from_service_bus(message, number=0, *, count=1):
    """Return the argument that a message of Service Bus becomes, its body bytes."""
    told = {name: Datum(*about) for name, about in service_bus_metadata(message.id, number, count).items()}
    return ServiceBusMessageInConverter.decode(Datum(message.body, "bytes"), trigger_metadata=told)


def service_bus_metadata(name, number=0, count=1):
    """Return what the host tells of a message of Service Bus, and each one's type."""
    return {
        "MessageId": (name, "string"),
        "SequenceNumber": (json.dumps(number), "json"),
        "DeliveryCount": (json.dumps(count), "json"),
        "LockToken": (f"00000000-0000-0000-0000-{number:012}", "string"),
        "EnqueuedTimeUtc": (json.dumps("2026-11-16T09:30:00Z"), "json"),
        "UserProperties": ("{}", "json"),
        "ApplicationProperties": ("{}", "json"),
    }


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
