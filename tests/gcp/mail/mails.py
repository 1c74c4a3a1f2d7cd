"""What the tests of both mailers send, and what networks do to it."""

from __future__ import annotations

from aws.faulty import Answer, lost, refused, silent
from tuppence.drivers import Email
from tuppence.errors import ErrorCode

MAIL = Email(sender="Bot <bot@example.com>", to="Me <me@example.org>", subject="Hello", text="Hi\n", html="")
LARGE = 31_000_000
DOUBTS = {
    "answer lost": (lost, ErrorCode.UNKNOWN, "fell silent; the mail may have been sent"),
    "broken off": (refused, ErrorCode.UNKNOWN, "fell silent; the mail may have been sent"),
    "silent": (silent, ErrorCode.TIMEOUT, "did not answer in time; the mail may have been sent"),
}
SERVERS = {status: Answer(status, {}, b"oops me@example.org") for status in (500, 502, 503, 504)}
