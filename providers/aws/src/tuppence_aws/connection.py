"""Connections that trust whom the SDK's would."""

from __future__ import annotations

import os
import ssl
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tuppence import connection

BUNDLE: Final = "AWS_CA_BUNDLE"
"""The environment variable that names the certificates to trust, as for the SDK."""


class Connection(connection.Connection):
    """A connection to one of AWS's services, or to what stands in for it."""

    def authorities(self) -> str | None:
        """Return a file of certificates to trust, or `None` for the machine's.

        A small container may have none; then those that come with the SDK serve, which need no import of it.
        """
        told = os.environ.get(BUNDLE)
        if told:
            return told
        machine = ssl.get_default_verify_paths()
        found = None if machine.cafile or machine.capath else find_spec("botocore")
        return str(Path(found.origin).parent / "cacert.pem") if found and found.origin else None
