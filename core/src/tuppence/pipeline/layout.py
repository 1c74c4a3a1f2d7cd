"""Where each thing lives in the store. Every partition begins with the project.

partition                       sort                     record
<project>.segments.2026111609   <batch id>               a batch as sent
<project>.dirty                 h.2026111609, d.20261116 marker: to be sealed
<project>.dirty                 z.2026111609             marker: counted in another time zone
<project>.hours.202611          2026111609               rollup of a UTC hour
<project>.texts.202611          2026111609               texts of a UTC hour
<project>.days.2026             20261116                 rollup of a day of the owner's clock
<project>.dead                  <id>                     dead letter
<project>.sent.2026             2026-W46.<recipient>     claim and confirmation of a mail
<project>.meter.202611          <component>              billable units of a month
<project>.state                 visitor-key, day-zone    what hashes people, and by what zone days are cut
<project>.state                 unsealed                 which periods could not be counted, and why
<project>.state                 heartbeat.<job>          when a job last ran, how that ended and why
"""

from __future__ import annotations

from datetime import date
from typing import Final

from tuppence.drivers import Key

UNSEALED: Final = "unsealed"
"""The name of the state that says which periods could not be counted, and why."""
DAY_ZONE: Final = "day-zone"
"""The name of the state that says by which time zone days are cut."""


def segments(project: str, hour: str) -> str:
    """Return the partition that holds the segments of a UTC hour."""
    return f"{project}.segments.{hour}"


def segment(project: str, hour: str, batch_id: str) -> Key:
    """Return where a segment lives."""
    return Key(partition=segments(project, hour), sort=batch_id)


def dirty(project: str) -> str:
    """Return the partition of the markers."""
    return f"{project}.dirty"


def dirty_hour(project: str, hour: str) -> Key:
    """Return where the marker of a UTC hour lives."""
    return Key(partition=dirty(project), sort=f"h.{hour}")


def other_zone(project: str, hour: str) -> Key:
    """Return where the marker of a UTC hour lives that was counted in another time zone."""
    return Key(partition=dirty(project), sort=f"z.{hour}")


def dirty_day(project: str, day: date) -> Key:
    """Return where the marker of a day lives."""
    return Key(partition=dirty(project), sort=f"d.{day:%Y%m%d}")


def hour(project: str, hour: str) -> Key:
    """Return where the rollup of a UTC hour lives; with eight digits, where those of a UTC day begin."""
    return Key(partition=f"{project}.hours.{hour[:6]}", sort=hour)


def texts(project: str, hour: str) -> Key:
    """Return where the texts of a UTC hour live."""
    return Key(partition=f"{project}.texts.{hour[:6]}", sort=hour)


def day(project: str, day: date) -> Key:
    """Return where the rollup of a day lives."""
    return Key(partition=f"{project}.days.{day:%Y}", sort=f"{day:%Y%m%d}")


def dead(project: str, letter: str = "") -> Key:
    """Return where a dead letter lives; without an id, the partition of all."""
    return Key(partition=f"{project}.dead", sort=letter)


def sent(project: str, week: str, recipient: str) -> Key:
    """Return where the claim of a week's mail to a recipient (as a hash) lives."""
    return Key(partition=f"{project}.sent.{week[:4]}", sort=f"{week}.{recipient}")


def meter(project: str, month: str, component: str) -> Key:
    """Return where the billable units of a month (`202611`) are counted."""
    return Key(partition=f"{project}.meter.{month}", sort=component)


def state(project: str, name: str) -> Key:
    """Return where a named piece of state lives."""
    return Key(partition=f"{project}.state", sort=name)


def heartbeat(project: str, job: str) -> Key:
    """Return where the heartbeat of a job lives."""
    return state(project, f"heartbeat.{job}")
