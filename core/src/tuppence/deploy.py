"""What a provider brings so that its cloud resources can be made: one interface, named by its hook.

`tuppence deploy` and `tuppence destroy` plan, show the plan, ask, and carry out what was shown. A provider
with a Terraform module has little to write: `tuppence.terraform`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from tuppence.runtime import Runtime

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
