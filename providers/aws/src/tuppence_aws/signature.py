"""Signature version 4, for the one shape of request that is sent here: a POST to `/` without a query.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

ALGORITHM: Final = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Who signs. `expires` is `None` where nobody said."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)
    expires: datetime | None = None


def signed(
    headers: Mapping[str, str],
    body: bytes,
    *,
    credentials: Credentials,
    region: str,
    service: str,
    now: datetime,
) -> dict[str, str]:
    """Return the headers to send: those given, all of them signed, with date, token and signature.

    Args:
        headers: by names in small letters, with `host`.
        body: what is sent.
        credentials: who signs.
        region: as in `eu-west-2`.
        service: as in `sqs`.
        now: in UTC; AWS refuses what is more than five minutes off.

    """
    moment = f"{now:%Y%m%dT%H%M%SZ}"
    told = {**headers, "x-amz-date": moment}
    if credentials.token:
        told["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(told))
    lines = "".join(f"{name}:{' '.join(told[name].split())}\n" for name in sorted(told))
    request = f"POST\n/\n\n{lines}\n{names}\n{_digest(body)}"
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = f"{ALGORITHM}\n{moment}\n{scope}\n{_digest(request.encode())}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    told["authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={names}, Signature={signature}"
    )
    return told


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
