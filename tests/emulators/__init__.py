"""Counterparts of cloud services, started for tests on 127.0.0.1 and stopped with them."""

from emulators.aws import ministack, moto
from emulators.azure import azurite, service_bus
from emulators.clock import ServiceClock
from emulators.gcp import firestore, pubsub, storage
from emulators.processes import UV, free_port, running

__all__ = [
    "UV",
    "ServiceClock",
    "azurite",
    "firestore",
    "free_port",
    "ministack",
    "moto",
    "pubsub",
    "running",
    "service_bus",
    "storage",
]
