"""The Redis server behind the queue and the store: one connection, one script, one command a call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.resources import files
from typing import Any, Final

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from tuppence.clock import Deadline
from tuppence.drivers import Meter, Permission
from tuppence.errors import ErrorCode
from tuppence.settings import Secret

from tuppence_redis.errors import failure, translate

_ALWAYS: Final = ("evalsha", "script|load", "select", "info")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class ServerOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the server is, and how it lets us in. The same for both drivers.

    Attributes:
        host, port: the server, unless `path` names a Unix socket on this machine.
        path: the socket; relative to the configuration's folder.
        database: one of the server's numbered databases.
        username: a user of the server's access control list; empty is its default user.
        password: by reference, as in `{ env = "REDIS_PASSWORD" }`.
        tls: whether the connection is encrypted.
        ca_file: certificates to trust instead of the machine's.
        prefix: what the names of all keys begin with.

    """

    host: str = "127.0.0.1"
    port: int = 6379
    path: str = ""
    database: int = 0
    username: str = ""
    password: Secret | None = None
    tls: bool = False
    ca_file: str = ""
    prefix: str = "tuppence"


class Server:
    """A connection to the server, made when first needed, and the Lua script it runs there."""

    def __init__(self, options: ServerOptions, meter: Meter, *, script: str) -> None:
        self._options = options
        self._meter = meter
        self._file = script
        self._client: redis.Redis | None = None

    def run(
        self,
        operation: str,
        keys: Sequence[str],
        arguments: Sequence[Any],
        *,
        deadline: Deadline,
        step: str = "",
    ) -> Any:
        """Return what a step of the script answers, by default the operation's: `queue.send` runs `send`.

        A script runs alone on the server, so a step happens at once or not at all.
        """
        with translate(operation, self._place):
            client = self._ready(operation, deadline)
            script = client.register_script(self._script)
            self._meter.count("redis.commands")
            return script(keys, [step or operation.partition(".")[2], *arguments])

    def check(self, operation: str, *, deadline: Deadline) -> None:
        """Prove that the server lets us in and will keep what it is given."""
        with translate(operation, self._place):
            client = self._ready(operation, deadline)
            self._meter.count("redis.commands")
            found: dict[str, Any] = client.info()
        if found.get("role") == "slave":
            raise failure(ErrorCode.INVALID, operation, f"{self._place} is a replica; name the primary")
        policy = str(found.get("maxmemory_policy", ""))
        if policy.startswith("allkeys"):
            words = f"{self._place} throws keys away when its memory is full ({policy})"
            raise failure(ErrorCode.INVALID, operation, f"{words}; set maxmemory-policy to noeviction")

    def permissions(self, commands: Sequence[str], keys: str) -> list[Permission]:
        """Return the rules under which a script may call `commands` on what begins with `keys`."""
        also = _ALWAYS if commands else ()
        resource = f"~{self._options.prefix}:{keys}:*"
        return [Permission(action=f"+{command}", resource=resource) for command in (*also, *commands)]

    def close(self) -> None:
        """Let the connection go. The next call makes a new one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    @cached_property
    def _script(self) -> bytes:
        return files("tuppence_redis").joinpath(self._file).read_bytes()

    @property
    def _place(self) -> str:
        options = self._options
        return options.path or f"{options.host}:{options.port}"

    def _ready(self, operation: str, deadline: Deadline) -> redis.Redis:
        """Return the client, none of whose reads and writes waits past the deadline."""
        left = deadline.remaining()
        if left <= 0:
            raise failure(ErrorCode.TIMEOUT, operation, "no time is left")
        if self._client is None:
            self._client = self._connect(left)
        connection = self._client.connection
        assert connection is not None  # a client of one connection keeps it until it is closed
        connection.socket_timeout = connection.socket_connect_timeout = left  # where it must connect again
        connection.update_current_socket_timeout(left)
        return self._client

    def _connect(self, left: float) -> redis.Redis:
        options = self._options
        return redis.Redis(
            host=options.host,
            port=options.port,
            unix_socket_path=options.path or None,
            db=options.database,
            username=options.username or None,
            password=options.password.reveal() if options.password else None,
            ssl=options.tls,
            ssl_ca_certs=options.ca_file or None,
            socket_timeout=left,
            socket_connect_timeout=left,
            retry=Retry(NoBackoff(), 0),  # core retries, within one deadline
            protocol=2,  # with 3 the server may change the timeouts
            single_connection_client=True,
        )


def microseconds(at: datetime) -> int:
    """Return an aware datetime as microseconds since 1970 UTC: the form in which Redis holds times."""
    return (at - _EPOCH) // _MICROSECOND


def moment(time_us: int) -> datetime:
    """Return microseconds since 1970 UTC as a datetime."""
    return _EPOCH + timedelta(microseconds=time_us)
