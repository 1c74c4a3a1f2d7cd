"""Fire-and-forget analytics for a small chatbot or API, in your own cloud account.

import tuppence

tp = tuppence.Client()
with tp.question(text, user=user_id) as q:
    reply = bot(text)
    q.answered(model="llama-3.1-8b")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tuppence import asgi, wsgi
    from tuppence.capture.client import Client, Stats
    from tuppence.capture.question import Question
    from tuppence.config import Config
    from tuppence.errors import ConfigError, DriverError, PluginError, TuppenceError
    from tuppence.event import Outcome

__version__ = "0.1.0"

__all__ = [
    "Client",
    "Config",
    "ConfigError",
    "DriverError",
    "Outcome",
    "PluginError",
    "Question",
    "Stats",
    "TuppenceError",
    "__version__",
    "asgi",
    "wsgi",
]

_HOMES = {
    "Client": "tuppence.capture.client",
    "Stats": "tuppence.capture.client",
    "Question": "tuppence.capture.question",
    "Config": "tuppence.config",
    "ConfigError": "tuppence.errors",
    "DriverError": "tuppence.errors",
    "PluginError": "tuppence.errors",
    "TuppenceError": "tuppence.errors",
    "Outcome": "tuppence.event",
}


_MODULES = frozenset({"asgi", "wsgi"})


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first used, so that importing the package costs nothing."""
        from importlib import import_module

        if name in _MODULES:
            return import_module(f"tuppence.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'tuppence' has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
