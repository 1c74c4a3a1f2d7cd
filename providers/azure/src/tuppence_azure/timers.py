"""The settings of a function app that are its schedules, which the functions read from their environment."""

from __future__ import annotations

import json
from typing import Final

import msgspec

from tuppence.drivers import Schedule

SCHEDULE: Final = "TUPPENCE_SCHEDULE_"
"""Begins the name of the setting that says what a schedule is."""
TIMER: Final = "TUPPENCE_TIMER_"
"""Begins that of the one that says when its timer fires."""
FUNCTION: Final = "timer-"
"""Begins the name of the function that the timer calls."""

PART: Final = "TUPPENCE_PART"
"""The setting that says which part of the project an app is: `processor` or `reporter`."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as the setting has it."""

    name: str
    cron: str
    job: str
    timezone: str
    payload: dict[str, str]


def schedule_setting(name: str) -> str:
    """Return the setting that says what the schedule of a name is. No two names have the same."""
    return SCHEDULE + _signs(name)


def timer_setting(name: str) -> str:
    """Return the setting that says when its timer fires."""
    return TIMER + _signs(name)


def schedule_of(setting: str) -> str:
    """Return the name of the schedule whose timer a setting is of."""
    return setting.removeprefix(TIMER).lower().replace("_", "-")


def encoded(schedule: Schedule) -> str:
    """Return the text of the setting, in ASCII: it becomes a variable of a process's environment."""
    told = Told(
        name=schedule.name,
        cron=schedule.cron,
        job=schedule.job,
        timezone=schedule.timezone,
        payload=dict(schedule.payload),
    )
    return json.dumps(msgspec.structs.asdict(told), separators=(",", ":"))


def read(text: str) -> Schedule | None:
    """Return the schedule that a setting is of; `None` where it is not tuppence's."""
    try:
        told = msgspec.json.decode(text, type=Told)
    except msgspec.DecodeError:
        return None
    return Schedule(**msgspec.structs.asdict(told))


def _signs(name: str) -> str:
    """Return a name in the letters that variables of an environment have; a schedule's has no `_`."""
    return name.upper().replace("-", "_")
