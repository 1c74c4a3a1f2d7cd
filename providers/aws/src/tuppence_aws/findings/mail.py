"""What there is to say of SES: the sandbox, the day's quota, and addresses that are not verified.

Addresses are people's, so they are numbered and not named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Final

from tuppence.clock import Deadline
from tuppence.findings import Finding, note, ok, wrong
from tuppence_aws.errors import translate
from tuppence_aws.findings import looked, whose
from tuppence_aws.mailer import ACCOUNT, PAUSED
from tuppence_aws.names import arn
from tuppence_aws.session import Session, region_of

if TYPE_CHECKING:
    from tuppence_aws.mailer import MailerOptions

_OPERATION: Final = "mailer.findings"
_VERIFY: Final = (
    "`aws sesv2 create-email-identity --email-identity ADDRESS`, then click the link that is mailed."
)
_UNLIMITED: Final = -1


def findings(options: MailerOptions, deadline: Deadline, sender: str, to: Sequence[str]) -> Iterator[Finding]:
    """Look at the account, and at the addresses it is to mail from and to."""
    session = Session("sesv2", options)
    sandboxed: list[bool] = []

    def account(deadline: Deadline) -> Iterator[Finding]:
        client = session.client(_OPERATION, deadline)
        with translate(_OPERATION, needs=ACCOUNT):
            found = client.get_account()
        sandboxed.append(not found.get("ProductionAccessEnabled"))
        yield from _account(found, len(to))

    def addresses(deadline: Deadline) -> Iterator[Finding]:
        client = session.client(_OPERATION, deadline)
        identities = arn("ses", region_of(options), "identity/*")
        with translate(_OPERATION, needs=f"ses:GetEmailIdentity on {identities}"):
            unknown = [number for number, one in enumerate(to, 1) if not _verified(client, one)]
            from_unknown = bool(sender) and not _verified(client, sender)
        if from_unknown:
            yield wrong("SES sends nothing for the sender, whose address is not verified", _VERIFY)
        if unknown and (True in sandboxed or not sender):
            why = "SES is in its sandbox" if sender else "mails without a sender are from their recipient"
            which = ", ".join(map(str, unknown))
            yield wrong(
                f"{why}, and of the addresses in `to` these are not verified: number {which}", _VERIFY
            )

    try:
        yield from looked(deadline, whose(options), account, addresses)
    finally:
        session.close()


def _account(found: Any, mails: int) -> Iterator[Finding]:
    if not found.get("SendingEnabled", True):
        yield wrong(PAUSED, "Mend what the console names first.")
    status = found.get("EnforcementStatus", "HEALTHY")
    if status != "HEALTHY":
        yield note(f"AWS has the account's mail under review: {status}", "See Reputation metrics in SES.")
    if not found.get("ProductionAccessEnabled"):
        yield note(
            "SES is in its sandbox in this region, and mails to verified addresses only",
            "Enough for a report to yourself; for others request production access in the SES console.",
        )
    quota = found.get("SendQuota", {})
    most, sent = int(quota.get("Max24HourSend", 0)), int(quota.get("SentLast24Hours", 0))
    if most == _UNLIMITED or not quota:
        return
    detail = f"{most - sent:,} of {most:,} mails of 24 hours are left"
    if most - sent < max(1, mails):
        yield wrong(f"{detail}, and a report is {mails}", "Wait a day, or ask for more in the SES console.")
    else:
        yield ok(detail)


def _verified(client: Any, address: str) -> bool:
    """Whether an address is verified, or its domain, or a domain above that."""
    plain = parseaddr(address)[1]
    labels = plain.rpartition("@")[2].split(".")
    domains = [".".join(labels[n:]) for n in range(len(labels) - 1)]
    return any(_sends(client, one) for one in (plain, *domains))


def _sends(client: Any, identity: str) -> bool:
    try:
        found = client.get_email_identity(EmailIdentity=identity)
    except client.exceptions.NotFoundException:
        return False
    return bool(found.get("VerifiedForSendingStatus"))
