"""`tuppence providers`: what is installed, what it can do, and what is broken."""

from __future__ import annotations

from typing import Any

import click

from tuppence import plugins
from tuppence.cli.app import Session, shared
from tuppence.drivers import Driver, Kind, Limits
from tuppence.errors import PluginError
from tuppence.plugins import Plugins


@click.command()
@shared
def providers(session: Session) -> None:
    """List installed providers and what they can do."""
    found = plugins.load()
    drivers = [
        _driver(found, name, kind, service)
        for name, provider in found.providers.items()
        for kind in Kind
        for service in provider.services(kind)
    ]
    broken = [{"name": name, "reason": f"{type(e).__name__}: {e}"} for name, e in found.broken.items()]
    session.output.table(
        ("provider", "kind", "features", "limits"),
        [
            *(
                (d["provider"], _kind(d), d["error"] or ", ".join(d["features"]), _words(d["limits"]))
                for d in drivers
            ),
            *((plugin["name"], "", f"broken, left out: {plugin['reason']}", "") for plugin in broken),
        ],
    )
    session.output.result({"drivers": drivers, "broken": broken})


def _driver(found: Plugins, provider: str, kind: Kind, service: str) -> dict[str, Any]:
    """Describe one driver, or say why its class cannot be loaded."""
    described: dict[str, Any] = {
        "provider": provider,
        "kind": kind.value,
        "service": service or None,
        "features": [],
        "limits": None,
        "error": None,
    }
    try:
        cls: type[Driver] = found.driver_class(kind, provider, service)
    except PluginError as error:
        return described | {"error": str(error)}
    features = sorted(feature.value for feature in cls.features)
    return described | {"features": features, "limits": getattr(cls, "limits", None)}


def _kind(driver: dict[str, Any]) -> str:
    """Say which kind it is, and on which service where there is a choice."""
    return f"{driver['kind']} ({driver['service']})" if driver["service"] else str(driver["kind"])


def _words(limits: Limits | None) -> str:
    """Say what one call takes. Where service tiers differ, a driver knows its limits only once configured."""
    if limits is None:
        return ""
    return f"{limits.item_bytes // 1024} KiB an item, {limits.batch_items} items a call"
