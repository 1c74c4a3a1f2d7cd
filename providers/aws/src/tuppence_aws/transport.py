"""What the SDK's clients send their requests through: every step of a call ends by one deadline.

The SDK's own reads start their timeout anew with every byte that comes, so an answer that trickles outlasts
any deadline. A client asks its `before-send` handlers first, and takes what one answers
(https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html).
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tuppence.clock import Deadline
from tuppence_aws.connection import Connection


class Transport:
    """Sends the requests of one client.

    Args:
        timeout: seconds until a request is given up.

    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._connections: dict[str, Connection] = {}

    def send(self, request: Any, **_: Any) -> Any:
        """Return the answer to a signed request. Raises the SDK's own errors, as its own transport does."""
        from botocore.awsrequest import AWSResponse, HeadersDict

        url = urlsplit(request.url)
        origin = f"{url.scheme}://{url.netloc}"
        connection = self._connections.setdefault(origin, Connection(origin))
        path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
        body = request.body or b""
        content = body.encode() if isinstance(body, str) else bytes(body)
        try:
            answer = connection.request(
                request.method, path, dict(request.headers), content, deadline=Deadline.after(self._timeout)
            )
        except (OSError, http.client.HTTPException) as error:
            raise _translated(error, origin, handed_over=connection.handed_over) from error
        return AWSResponse(request.url, answer.status, HeadersDict(answer.headers), _Body(answer.body))

    def close(self) -> None:
        """Let the connections go."""
        for connection in self._connections.values():
            connection.close()


class _Body:
    """The body of an answer, in the form in which the SDK reads one."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        yield self._content


def _translated(error: Exception, origin: str, *, handed_over: bool) -> Exception:
    """Return the SDK's error for a request that has no answer."""
    from botocore import exceptions

    if isinstance(error, TimeoutError):
        late = exceptions.ReadTimeoutError if handed_over else exceptions.ConnectTimeoutError
        return late(endpoint_url=origin, error=error)  # type: ignore[no-any-return]  # the SDK has no types
    if isinstance(error, ssl.SSLError):
        return exceptions.SSLError(endpoint_url=origin, error=error)  # type: ignore[no-any-return]  # as above
    lost = exceptions.ConnectionClosedError if handed_over else exceptions.EndpointConnectionError
    return lost(endpoint_url=origin, error=error)  # type: ignore[no-any-return]  # as above
