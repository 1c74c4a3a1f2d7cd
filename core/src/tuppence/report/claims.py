"""Claims: who has been, or may have been, sent the mail of a week.

A claim is put before the mail is handed over and confirmed afterwards. The services that send mail take the
same mail twice, so one that was claimed and never confirmed is not sent again by itself: it is reported.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final

import msgspec

from tuppence.clock import Deadline
from tuppence.drivers import Absent, Record, Version
from tuppence.pipeline import layout
from tuppence.store import Store

KEPT: Final = timedelta(days=400)
"""Far longer than weeks are caught up."""
PENDING: Final = timedelta(minutes=15)
"""A claim made less than this from now may belong to a mail that is being sent at this moment."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one mail.

    Attributes:
        week: the label of the week it is about.
        recipient: whose it is, as `recipient_id` has it.
        at: when it was claimed.
        sent: the mailer's id for it, once it has been accepted; until then empty.
        written: whether that is the path of a file, and the mail was sent to nobody.

    """

    week: str
    recipient: str
    at: datetime
    sent: str = ""
    written: bool = False


def recipient_id(address: str) -> str:
    """Return a hash that stands for a mail address in the store, with or without a name beside it."""
    plain = parseaddr(address)[1] or address
    normal = plain.strip().casefold().encode()
    return hashlib.blake2b(normal, digest_size=12, person=b"recipient").hexdigest()


def find(store: Store, project: str, claim: Claim, *, deadline: Deadline) -> tuple[Claim, str] | None:
    """Return the claim that stands where `claim` would, and its version, or `None`."""
    record = store.get(layout.sent(project, claim.week, claim.recipient), deadline=deadline)
    return (_claim_in(record), record.version or "") if record is not None else None


def take(
    store: Store, project: str, claim: Claim, *, instead_of: str | None = None, deadline: Deadline
) -> bool:
    """Claim a mail where nobody has, or `instead_of` the version of a claim. Returns whether it is ours."""
    condition = Absent() if instead_of is None else Version(instead_of)
    return store.put(_record(project, claim), condition=condition, deadline=deadline)


def confirm(
    store: Store, project: str, claim: Claim, mail_id: str, *, written: bool = False, deadline: Deadline
) -> None:
    """Record that the mailer accepted the mail, or has `written` it to a file. Raises `DriverError`."""
    accepted = msgspec.structs.replace(claim, sent=mail_id or "accepted", written=written)
    store.put(_record(project, accepted), deadline=deadline)


def release(store: Store, project: str, claim: Claim, *, earlier: Claim | None, deadline: Deadline) -> None:
    """Give a claim back, for the mail was certainly not sent; an `earlier` one holds again.

    Raises:
        DriverError: the claim may still stand.

    """
    if earlier is not None:
        store.put(_record(project, earlier), deadline=deadline)
    else:
        store.delete(layout.sent(project, claim.week, claim.recipient), deadline=deadline)


def unconfirmed(store: Store, project: str, now: datetime, *, deadline: Deadline) -> list[Claim]:
    """Return this and last year's claims of mails that may have been sent or not.

    One that lies in the future was made by a clock that was ahead.
    """
    found = standing(store, project, now.year, deadline=deadline)
    return [claim for claim in found if not claim.sent and abs(now - claim.at) >= PENDING]


def standing(store: Store, project: str, year: int, *, deadline: Deadline) -> list[Claim]:
    """Return all claims on weeks of a year and of the one before."""
    partitions = [layout.sent(project, str(one), "").partition for one in (year - 1, year)]
    return [_claim_in(record) for each in partitions for record in store.query(each, deadline=deadline)]


def _record(project: str, claim: Claim) -> Record:
    return Record(
        key=layout.sent(project, claim.week, claim.recipient),
        body=msgspec.json.encode(claim),
        expires_at=claim.at + KEPT,
    )


def _claim_in(record: Record) -> Claim:
    return msgspec.json.decode(record.body, type=Claim)
