"""tuppence on Azure. Nothing here is imported before a driver is asked for."""

__version__ = "0.1.0"
