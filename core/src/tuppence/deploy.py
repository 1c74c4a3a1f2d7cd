"""What a provider brings so that its cloud resources can be made: one interface, named by its hook.

`tuppence deploy` and `tuppence destroy` plan, show the plan, ask, and carry out what was shown. A provider
with a Terraform module has little to write: `tuppence.terraform`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tuppence.drivers import Driver, Kind, Permission, Role
from tuppence.errors import ConfigError

if TYPE_CHECKING:
    from tuppence.runtime import Runtime

TOGETHER: Final = (Kind.QUEUE, Kind.STORE, Kind.COMPUTE, Kind.SCHEDULER)
"""What has to come from one provider for its functions to run. Mail may go another way."""
Say = Callable[[str], None]
"""Called with a line for people whenever something has been done."""


class Action(StrEnum):
    """What becomes of a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One resource that will not stay as it is.

    Attributes:
        action: what becomes of it.
        resource: its name in the plan.
        detail: which of its properties change, where it stays.
        loses: whether something that people sent goes with it.

    """

    action: Action
    resource: str
    detail: str = ""
    loses: bool = False


class Deployer(ABC):
    """Makes and removes a provider's resources. Every method may raise `DeployError`.

    Args:
        runtime: the configuration, and the drivers that say what they need.
        say: told what has been done.
        backend: a file that says where the state is kept, instead of beside the configuration.

    """

    def __init__(self, runtime: Runtime, *, say: Say, backend: Path | None = None) -> None:
        self.runtime = runtime
        self.say = say
        self.backend = backend

    @abstractmethod
    def plan(self, *, destroy: bool = False) -> Sequence[Change]:
        """Find out what has to change, or with `destroy` what there is to remove. Changes nothing."""

    @abstractmethod
    def apply(self) -> Mapping[str, Any]:
        """Carry out the last plan; return what people need to know of what there is now, by name."""

    @abstractmethod
    def destroy(self) -> None:
        """Carry out the last plan to remove."""

    def kept(self) -> Sequence[str]:
        """Return what is left after `destroy`, and where, a sentence each."""
        return ()


def drivers_of(runtime: Runtime, provider: str, *, same: Sequence[str]) -> dict[Kind, Any]:
    """Return the drivers that are this provider's.

    Args:
        runtime: the configuration, and its drivers.
        provider: whose functions are to run.
        same: options that the four must agree on, such as the region.

    Raises:
        ConfigError: they could not work together.

    """
    config = runtime.config
    for kind in TOGETHER:
        if config.provider_of(kind) != provider:
            raise ConfigError(
                f"{config.origin}: {kind.value} comes from {config.provider_of(kind)!r}; functions on "
                f"{provider} need queue, store, compute and scheduler there: leave out its `provider`"
            )
    drivers: dict[Kind, Any] = {
        kind: getattr(part, "driver", part)  # queue and store come wrapped in core's policy
        for kind in Kind
        if config.provider_of(kind) == provider
        for part in [getattr(runtime, kind.value)]
    }
    for key in same:
        values = {kind.value: getattr(drivers[kind].options, key) for kind in TOGETHER}
        if len(set(values.values())) > 1:
            told = ", ".join(f"{kind} {value!r}" for kind, value in values.items())
            raise ConfigError(f"{config.origin}: `{key}` must be the same for all four: {told}")
    return drivers


def allowed(drivers: Iterable[Driver], role: Role) -> list[dict[str, str]]:
    """Return what the drivers say a role must be allowed to do, each thing once and in order."""
    permissions: set[tuple[str, str]] = set()
    for driver in drivers:
        permissions |= {_pair(permission) for permission in driver.permissions(role)}
    return [{"action": action, "resource": resource} for action, resource in sorted(permissions)]


def _pair(permission: Permission) -> tuple[str, str]:
    return permission.action, permission.resource
