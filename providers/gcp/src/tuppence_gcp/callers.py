"""Who may call a function: whoever shows a token of Google's that is meant for it and names the invoker.

Cloud Run looks at the token first, lets nobody else in, and takes the signature out before it passes the
token on (https://cloud.google.com/run/docs/troubleshooting#signature-removed, as quoted in November 2026). So
a token without a signature counts on Cloud Run, where the platform has looked at it, and nowhere else.
All else that a token says is looked at here too. Nothing switches that off.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, Final, cast

from tuppence.clock import Clock, Deadline
from tuppence_gcp.credentials import Request

CERTIFICATES: Final = "https://www.googleapis.com/oauth2/v1/certs"
"""Of the keys that Google signs such tokens with, as google-auth has it."""
ISSUERS: Final = frozenset({"accounts.google.com", "https://accounts.google.com"})
REMOVED: Final = "SIGNATURE_REMOVED_BY_GOOGLE"
PATIENCE: Final = 5.0
"""Seconds for fetching certificates."""
KEPT: Final = timedelta(hours=1)
"""How long certificates are kept; Google's own say some hours more."""
SKEW: Final = 10
"""Seconds by which clocks may differ."""
_BEARER: Final = re.compile(r"Bearer +([\w-]+\.[\w-]+\.[\w-]+)", re.IGNORECASE)
_ON_CLOUD_RUN: Final = ("K_SERVICE", "K_REVISION")
"""What Cloud Run tells each container (https://cloud.google.com/run/docs/container-contract)."""
_UNAUTHENTICATED: Final = 401
_FORBIDDEN: Final = 403
_UNAVAILABLE: Final = 503
_OK: Final = 200


class NotLetIn(Exception):  # noqa: N818 - it names what became of a call
    """A call that is refused.

    Args:
        status: of the answer.
        reason: for the log. Holds nothing of the token.

    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Callers:
    """Looks at the tokens of calls.

    Args:
        clock: what tokens expire by where the platform has looked at them.
        certificates: where those of the keys are that sign tokens; empty means Google's.

    """

    def __init__(self, clock: Clock, certificates: str = "") -> None:
        self._clock = clock
        self._address = certificates or CERTIFICATES
        self._certificates = _Certificates(clock)

    def admit(self, headers: Mapping[str, str], *, audiences: Collection[str], account: str) -> None:
        """Let a call pass that is meant for one of `audiences` and is `account`'s. Raises `NotLetIn`."""
        found = _BEARER.fullmatch(headers.get("Authorization", ""))
        if found is None:
            raise NotLetIn(_UNAUTHENTICATED, "it shows no token")
        told = self._removed(found[1]) if found[1].endswith(f".{REMOVED}") else self._signed(found[1])
        if told.get("iss") not in ISSUERS:
            raise NotLetIn(_UNAUTHENTICATED, "its token is not one of Google's")
        if told.get("aud") not in audiences:
            raise NotLetIn(_UNAUTHENTICATED, "its token is meant for another function")
        if told.get("email") != account or told.get("email_verified") is not True:
            raise NotLetIn(_FORBIDDEN, f"it does not come from {account}")

    def _signed(self, token: str) -> Mapping[str, Any]:
        """Return what a token says whose signature and times are right."""
        try:
            return self._verified(token)
        except NotLetIn:
            if not self._certificates.forget():
                raise
        return self._verified(token)  # by certificates that are new, as its key may be

    def _verified(self, token: str) -> Mapping[str, Any]:
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.oauth2 import id_token

        try:
            told: Mapping[str, Any] = id_token.verify_token(
                token, cast("Any", self._certificates), certs_url=self._address, clock_skew_in_seconds=SKEW
            )
        except TransportError as error:
            raise NotLetIn(_UNAVAILABLE, "Google's certificates cannot be fetched") from error
        except (GoogleAuthError, ValueError) as error:
            late = str(error).startswith("Token expired")
            why = "has expired" if late else "has no signature that holds, or is not of this time"
            raise NotLetIn(_UNAUTHENTICATED, f"its token {why}") from error
        return told

    def _removed(self, token: str) -> Mapping[str, Any]:
        """Return what a token says that Cloud Run has looked at."""
        from google.auth import jwt

        if not all(map(os.environ.get, _ON_CLOUD_RUN)):
            raise NotLetIn(_UNAUTHENTICATED, "its token has no signature, and this is not Cloud Run")
        try:
            told: Mapping[str, Any] = jwt.decode(token, verify=False)  # type: ignore[no-untyped-call]  # google-auth's own gap
            since, until = float(told["iat"]) - SKEW, float(told["exp"]) + SKEW
        except (KeyError, TypeError, ValueError) as error:
            raise NotLetIn(_UNAUTHENTICATED, "its token cannot be read") from error
        if not since <= self._clock.now().timestamp() <= until:
            raise NotLetIn(_UNAUTHENTICATED, "its token has expired, or is not of this time")
        return told


class _Certificates:
    """Fetches certificates as google-auth asks for them, and keeps them for a while."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: Any = None
        self._until = clock.now()
        self._often = clock.now()

    def __call__(self, url: str, method: str = "GET", **_: Any) -> Any:
        now = self._clock.now()
        if self._kept is None or now >= self._until:
            fetch: Callable[..., Any] = Request(Deadline.after(PATIENCE, self._clock))
            answer = fetch(url, method)
            if answer.status != _OK:
                return answer  # google-auth says what that means
            self._kept, self._until = answer, now + KEPT
            self._often = now + timedelta(minutes=1)
        return self._kept

    def forget(self) -> bool:
        """Fetch them anew next time, unless they are less than a minute old; return whether."""
        if self._kept is None or self._clock.now() < self._often:
            return False
        self._kept = None
        return True
