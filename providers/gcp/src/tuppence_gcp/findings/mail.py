"""What there is to say of mail: plans that have ended, and addresses for which nothing is sent.

Addresses are people's, so they are numbered and not named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence.findings import Finding, note, ok, wrong
from tuppence_gcp.mailer import ENDED, OTHERS, SENDER
from tuppence_gcp.resend import DOMAINS, UNFIT, domain_of

if TYPE_CHECKING:
    from tuppence_gcp.mailer import SendGridMailer
    from tuppence_gcp.resend import Domain, ResendMailer

_OPERATION: Final = "mailer.findings"
_CHECKED: Final = frozenset({ErrorCode.UNAUTHENTICATED, ErrorCode.NOT_FOUND})
"""What the driver's `check` says already."""
_UNSEEN: Final = note(
    "the API key may only send, so nobody can see here whether the sender is verified",
    "Send a report to yourself once: `tuppence report --send --to ADDRESS`.",
)
_RECIPIENT: Final = (
    "mails without a sender are from their recipient, and of those in `to` this is not verified"
)


def of_sendgrid(
    mailer: SendGridMailer, deadline: Deadline, sender: str, to: Sequence[str]
) -> Iterator[Finding]:
    """Look at the plan, and at the addresses that mails are to come from."""
    yield note(ENDED, OTHERS)
    addresses = [sender] if sender else list(to)
    try:
        known = [mailer.knows(address, _OPERATION, deadline) for address in addresses]
    except DriverError as error:
        yield from _told(error)
        return
    if None in known:
        yield _UNSEEN
        return
    for number, verified in enumerate(known, 1):
        if not verified:
            detail = SENDER if sender else f"{_RECIPIENT}: number {number}"
            yield wrong(detail, "Settings, Sender Authentication, at https://app.sendgrid.com.")
    if addresses and all(known):
        yield ok("the sender is verified with SendGrid")


def of_resend(mailer: ResendMailer, deadline: Deadline, sender: str, to: Sequence[str]) -> Iterator[Finding]:
    """Look at the domains that mails are to come from."""
    try:
        domains = mailer.domains(_OPERATION, deadline)
    except DriverError as error:
        yield from _told(error)
        return
    if domains is None:
        yield _UNSEEN
        return
    for number, address in enumerate([sender] if sender else to, 1):
        found = domains.get(domain_of(address))
        whose = "the sender's domain" if sender else f"{_RECIPIENT}: number {number}; its domain"
        if found is None or found.status in UNFIT:
            state = f"is {found.status.replace('_', ' ')}" if found else "is not known to Resend"
            yield wrong(f"{whose} {state}, and nothing is sent for it", f"Verify it at {DOMAINS}.")
        else:
            yield from _tracking(found)


def _tracking(domain: Domain) -> Iterator[Finding]:
    if domain.open_tracking or domain.click_tracking:
        yield note(
            "Resend puts an image into each mail of the sender's domain, or its own address into links",
            f"Switch tracking off at {DOMAINS}: a report holds nothing remote.",
        )
    else:
        yield ok("the sender's domain is verified with Resend")


def _told(error: DriverError) -> Iterator[Finding]:
    """Yield what may not be seen, or not now."""
    if error.code not in _CHECKED:
        yield note(error.message, "Run `tuppence doctor` again.")
