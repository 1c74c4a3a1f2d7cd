"""What services of Azure answer instead of doing what they are asked.

https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes, read November 2026.
"""

from __future__ import annotations

from aws.faulty import Answer


def failing(request, forward):
    """Answer as a service of Azure's that has a problem of its own."""
    return error_of(500, "InternalError")


def throttling(request, forward):
    """Answer as a service of Azure's that is asked too often."""
    return error_of(503, "ServerBusy")


def expired(request, forward):
    """Answer as a service of Azure's that was shown a signature which has expired."""
    return error_of(403, "AuthenticationFailed")


def error_of(status, name):
    body = f"<?xml version='1.0'?><Error><Code>{name}</Code><Message>made up</Message></Error>"
    return Answer(status, {"Content-Type": "application/xml", "x-ms-error-code": name}, body.encode())
