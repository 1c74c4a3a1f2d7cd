"""The one hook a provider implements, and the declaration it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pluggy

from tuppence.drivers import Kind

API: Final = 1
"""The version of `tuppence.drivers` this release speaks."""

hookspec = pluggy.HookspecMarker("tuppence")
hookimpl = pluggy.HookimplMarker("tuppence")


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What a provider offers, as import strings, so that declaring it imports no SDK.

    Attributes:
        name: what people write after `provider =`.
        api: the interface version it was written for (`tuppence.hookspecs.API`).
        drivers: `module:Class` for each kind it has. Where several of the vendor's services can be it, such a
            line for each, by the service's name; the first is the default, `service =` chooses another.
        deployer: `module:Class` of what makes its resources (`tuppence.deploy.Deployer`), if there are any.

    """

    name: str
    api: int
    drivers: Mapping[Kind, str | Mapping[str, str]] = field(default_factory=dict)
    deployer: str | None = None

    def services(self, kind: Kind) -> Mapping[str, str]:
        """Return the drivers of a kind by service, the default first; the only one has no service's name."""
        found = self.drivers.get(kind, {})
        return {"": found} if isinstance(found, str) else found


@hookspec
def tuppence_provider() -> Provider:  # type: ignore[empty-body]  # a specification has no body
    """Describe one provider. Must not import a cloud SDK."""
