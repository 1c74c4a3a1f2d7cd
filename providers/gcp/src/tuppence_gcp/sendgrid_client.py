"""SendGrid's own client, whose requests go over core's connection, which ends them by the deadline.

The client's is urllib's, whose timeout begins anew with every read: an answer that trickles would outlast it.
Importing this loads the client.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request
from urllib.response import addinfourl

from python_http_client.client import Client
from python_http_client.exceptions import handle_error
from sendgrid import SendGridAPIClient

from tuppence.connection import Answer

Ask = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""Makes one request: method, path, headers, body."""


def client_of(key: str, origin: str, ask: Ask) -> Any:
    """Return the client. Its errors are those of `python_http_client`, and what `ask` raises."""
    api = SendGridAPIClient(key, host=origin)
    return _Client(ask, host=origin, request_headers=api.client.request_headers, version=3)


class _Client(Client):  # type: ignore[misc]  # it has no types
    """The client, of which one method is replaced: the one that its own tests replace too."""

    def __init__(self, ask: Ask, **told: Any) -> None:
        super().__init__(**told)
        self._ask = ask

    def _build_client(self, name: str | None = None) -> _Client:
        """Return the client of a longer path."""
        path = [*self._url_path, name] if name else self._url_path
        return _Client(
            self._ask,
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=path,
        )

    def _make_request(self, _opener: object, request: Request, timeout: float | None = None) -> addinfourl:  # noqa: ARG002 - ours has a deadline
        """Make one request, and raise the client's own error for a refusal."""
        data = request.data if isinstance(request.data, bytes) else b""
        answer = self._ask(request.get_method(), request.selector, dict(request.header_items()), data)
        headers = http.client.HTTPMessage()
        for name, value in answer.headers.items():
            headers[name] = value
        body = io.BytesIO(answer.body)
        if answer.status >= http.client.BAD_REQUEST:
            reason = http.client.responses.get(answer.status, "")
            raise handle_error(HTTPError(request.full_url, answer.status, reason, headers, body))
        return addinfourl(body, headers, request.full_url, answer.status)
