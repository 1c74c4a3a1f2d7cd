"""Which of several configured time zones cuts the days."""

from datetime import timedelta

import pytest

from tuppence.pipeline.day_zone import SEEN_FOR, DayZone, next_day_zone
from tuppence.testing import ManualClock

NOW = ManualClock().now()
HOUR = timedelta(hours=1)
LONDON, KOLKATA, TOKYO = "Europe/London", "Asia/Kolkata", "Asia/Tokyo"


def after(known, *runs):
    """Return the record after processes configured with a zone have sealed, so many hours from now each."""
    for hours, zone in runs:
        known = next_day_zone(known, zone, NOW + hours * HOUR)
    return known


def test_the_first_to_seal_decides_and_has_the_store_searched():
    assert after(None, (0, LONDON)) == DayZone(zone=LONDON, scan_from="")


def test_as_long_as_the_zone_stays_nothing_is_written():
    known = DayZone(zone=LONDON)

    assert after(known, (0, LONDON), (500, LONDON)) == known


def test_a_zone_that_nobody_had_before_comes_into_force_at_once():
    changed = after(DayZone(zone=LONDON), (0, KOLKATA))

    assert (changed.zone, changed.previous, changed.changed_at) == (KOLKATA, [LONDON], NOW)
    assert changed.scan_from == ""


def test_a_process_that_still_has_the_old_configuration_seals_by_the_new_one():
    assert after(DayZone(zone=LONDON), (0, KOLKATA), (1, LONDON), (1, KOLKATA), (2, LONDON)).zone == KOLKATA


def test_two_machines_configured_differently_for_good_change_the_zone_once():
    runs = [(hour, zone) for hour in range(1, 500) for zone in (KOLKATA, LONDON)]

    known = after(DayZone(zone=LONDON), *runs)

    assert (known.zone, known.changed_at) == (KOLKATA, NOW + HOUR)
    assert known.seen.keys() == {KOLKATA, LONDON}


def test_another_mistake_corrected_is_taken_up_at_once():
    known = after(DayZone(zone=LONDON), (0, KOLKATA), (0.1, TOKYO))

    assert (known.zone, known.previous) == (TOKYO, [KOLKATA, LONDON])


def test_who_goes_back_to_the_zone_before_has_it_once_nobody_is_configured_with_the_other():
    soon = after(DayZone(zone=LONDON), (0, KOLKATA), *((hour, LONDON) for hour in (1, 2, 3, 4, 5)))
    later = after(soon, (6, LONDON))

    assert (soon.zone, later.zone) == (KOLKATA, LONDON)
    assert later.previous == [KOLKATA]


@pytest.mark.parametrize("hours", [6, 24, 1000])
def test_once_no_run_can_go_by_the_old_zone_any_longer_the_store_is_searched_again(hours):
    searched = DayZone(
        zone=KOLKATA, previous=[LONDON], changed_at=NOW, seen={LONDON: NOW, KOLKATA: NOW + (hours - 1) * HOUR}
    )

    known = after(searched, (hours, KOLKATA))

    assert (known.seen, known.scan_from) == ({}, "")
    assert hours * HOUR >= SEEN_FOR
