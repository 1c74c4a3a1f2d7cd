"""Drivers of Azure for tests that are no contract."""

from contextlib import contextmanager

from tuppence.clock import SystemClock
from tuppence.drivers import Context
from tuppence.meter import UnitMeter


@contextmanager
def driver_of(kind, project, clock=None, **options):
    """Build a driver with these options; yield it, and close it."""
    context = Context(project=project, meter=UnitMeter(), clock=clock or SystemClock())
    driver = kind(kind.Options(**options), context)
    try:
        yield driver
    finally:
        driver.close()
