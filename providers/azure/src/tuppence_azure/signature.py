"""Shared Key: how a request to Azure Storage is signed with an account's key.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key, read November 2026.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Final

_QUEUES: Final = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)
_TABLES: Final = ("content-md5", "content-type", "x-ms-date")


def authorization(account: str, key: bytes, to_sign: str) -> str:
    """Return the header that carries the signature."""
    digest = hmac.new(key, to_sign.encode(), hashlib.sha256).digest()
    return f"SharedKey {account}:{b64encode(digest).decode()}"


def of_queues(
    account: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> str:
    """Return what is signed of a request to the queues: headers and query included."""
    ours = sorted(name for name in headers if name.startswith("x-ms-"))
    told = [f"{name}:{headers[name]}" for name in ours]
    asked = [f"{name}:{query[name]}" for name in sorted(query)]
    return "\n".join([method, *_values(_QUEUES, headers), *told, f"/{account}{path}", *asked])


def of_tables(
    account: str, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> str:
    """Return what is signed of a request to the tables: of the query, `comp` alone."""
    component = f"?comp={query['comp']}" if "comp" in query else ""
    return "\n".join([method, *_values(_TABLES, headers), f"/{account}{path}{component}"])


def _values(names: Sequence[str], headers: Mapping[str, str]) -> list[str]:
    return [headers.get(name, "") for name in names]
