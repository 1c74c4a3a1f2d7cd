"""What services of Google's answer instead of doing what they are asked."""

from __future__ import annotations

from gcp.answers import error_of


def failing(request, forward):
    """Answer as a service of Google's that has a problem of its own."""
    return error_of(500, "INTERNAL")


def throttling(request, forward):
    """Answer as a service of Google's that is asked too often."""
    return error_of(429, "RESOURCE_EXHAUSTED")


def expired(request, forward):
    """Answer as a service of Google's that was shown a token which has expired."""
    return error_of(401, "UNAUTHENTICATED")
