"""Cron lines of five fields and time zones: what is allowed, and when a schedule is next due.

The portable subset is what every provider's own cron dialect can be given: numbers, names, lists, ranges and
steps. Daylight saving follows Debian's cron, as `cronsim` implements it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from tuppence.errors import ConfigError

FIELDS: Final = 5
_PORTABLE: Final = re.compile(r"[0-9A-Za-z*,/ -]+")


def check_timezone(name: str, where: str) -> ZoneInfo:
    """Return the IANA zone, or raise `ConfigError` with the nearest name there is."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        import difflib
        from zoneinfo import available_timezones

        close = difflib.get_close_matches(name, available_timezones(), n=1, cutoff=0.5)
        hint = f"did you mean {close[0]!r}?" if close else 'write an IANA name, as in "Europe/London"'
        raise ConfigError(f"{where}: unknown time zone {name!r}; {hint}") from None


def check_cron(line: str, where: str) -> None:
    """Raise `ConfigError` unless `line` is a cron line of five fields that every provider can run."""
    hint = 'write five fields (minute hour day month weekday), as in "0 7 * * MON"'
    if len(line.split()) != FIELDS or not _PORTABLE.fullmatch(line):
        raise ConfigError(f"{where}: {line!r} is no portable cron line; {hint}")
    from cronsim import CronSim, CronSimError

    try:
        CronSim(line, datetime(2026, 1, 1))  # noqa: DTZ001 - only the line is checked
    except CronSimError as error:
        raise ConfigError(f"{where}: {line!r}: {error}; {hint}") from None


def next_due(line: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Return the first moment after `after` at which `line` is due in `zone`, in UTC."""
    from datetime import UTC

    from cronsim import CronSim

    return next(CronSim(line, after.astimezone(zone))).astimezone(UTC)
