"""What azure-identity makes its requests with: within one deadline, and remembering why one failed.

The library reports every failure as the same error with a text of several lines, in which an identity service
that is down looks like credentials that do not exist.
"""

from __future__ import annotations

import http.client
from typing import Any, Final

from azure.core.exceptions import AzureError, ServiceRequestTimeoutError, ServiceResponseTimeoutError
from azure.core.pipeline.transport import RequestsTransport

from tuppence.clock import Deadline

REQUEST_TIMEOUT_S: Final = 10.0
_SHORTEST_TIMEOUT_S: Final = 0.05
"""0 would mean another thing to the library's own client."""


class IdentityTransport(RequestsTransport):  # type: ignore[misc]  # the SDK's types are not looked at
    """A transport for one credential, used by one thread at a time.

    Attributes:
        deadline: by when requests end; `None` gives each `REQUEST_TIMEOUT_S`.
        failure: the last request's, if it had no answer.
        status: of the last request's answer, 0 if it had none.

    """

    deadline: Deadline | None = None
    failure: AzureError | None = None
    status: int = 0

    def send(self, request: Any, **options: Any) -> Any:
        """Make one request."""
        self.failure, self.status = None, 0
        left = REQUEST_TIMEOUT_S if self.deadline is None else self.deadline.remaining()
        timeout = max(_SHORTEST_TIMEOUT_S, min(left, REQUEST_TIMEOUT_S))
        for name in ("connection_timeout", "read_timeout"):
            options[name] = min(options.get(name, timeout), timeout)
        try:
            response = super().send(request, **options)
        except AzureError as error:
            self.failure = error
            raise
        self.status = response.status_code
        return response

    @property
    def timed_out(self) -> bool:
        """Whether the last request was not answered in time."""
        return isinstance(self.failure, ServiceRequestTimeoutError | ServiceResponseTimeoutError)

    @property
    def is_failing(self) -> bool:
        """Whether the last answer says that the service itself has a problem."""
        return self.status >= http.client.INTERNAL_SERVER_ERROR
