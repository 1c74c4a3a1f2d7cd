"""The five kinds of drivers, apart from the drivers: who captures needs no more of them at first."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The five things a provider may offer."""

    QUEUE = "queue"
    COMPUTE = "compute"
    STORE = "store"
    SCHEDULER = "scheduler"
    MAILER = "mailer"
