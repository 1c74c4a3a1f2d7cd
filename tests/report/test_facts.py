from datetime import date, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tuppence.event import Outcome
from tuppence.pipeline.rollup import Rollup
from tuppence.pipeline.sketch import IdSet
from tuppence.report.numbers import sum_week
from tuppence.report.period import Week
from tuppence.report.rates import Rate, differ, wilson
from tuppence.report.render import render_json
from tuppence.report.verdict import subject


@pytest.fixture
def exits(log):
    """Every way a question can end, as many of each as its own number."""
    for times, outcome in enumerate(Outcome, start=1):
        log.ask(
            f"question {outcome}", outcome, times=times * 3, at=f"2026-11-{8 + min(times, 7):02}T{times:02}"
        )
    return log


def test_every_exit_is_counted_once_under_its_name(exits):
    report = exits.report()

    assert report.outcomes == {outcome.value: 3 * n for n, outcome in enumerate(Outcome, start=1)}
    assert report.totals.questions == 3 * 36
    assert report.unresolved == {
        "content": 6,
        "refused": 9,
        "outage": 12 + 15,
        "rate_limited": 18,
        "invalid": 21,
        "aborted": 24,
    }
    assert sum(gap.count for gap in report.gaps) == 3 * 35


def test_a_week_without_questions_lists_all_outcomes_at_zero(log):
    log.say("signup", user="u1")

    report = log.report()

    assert report.outcomes == dict.fromkeys(Outcome, 0)
    assert report.by_hour_of == "events"
    assert report.by_hour[1][9] == 1


def test_the_grid_counts_questions_on_the_owners_clock(exits):
    exits.say("signup", at="2026-11-09T01")

    report = exits.report()

    assert report.by_hour_of == "questions"
    assert [len(day) for day in report.by_hour] == [24] * 7
    assert report.by_hour[0][1] == 3
    assert report.by_hour[6][8] == 24
    assert sum(map(sum, report.by_hour)) == report.totals.questions


def test_events_of_other_weeks_are_not_in_the_totals(log):
    log.ask("now", at="2026-11-15T23", user="a")
    log.ask("before", at="2026-11-08T23", user="b")
    log.ask("after", at="2026-11-16T00", user="c")

    report = log.report()

    assert (report.totals.questions, report.totals.people) == (1, 1)
    assert report.before.totals.questions == 1
    assert report.before.week == "2026-W45"


def test_topics_carry_counts_of_both_weeks_and_know_what_is_new(log):
    log.ask("Where is my parcel?", times=6, users="p")
    log.ask("where is my parcel", "no_match", times=2, user="p-1")
    log.ask("Do you ship to Cork?", "no_match", times=4, users="c", cause="no_source")
    log.ask("Where is my parcel", times=5, at="2026-11-03T10")

    first, second = log.report().topics

    assert (first.name, first.count, first.before, first.change, first.new) == (
        "Where is my parcel?",
        8,
        5,
        3,
        False,
    )
    assert (first.answered, first.people, first.people_error) == (6, 6, 0)
    assert first.share == round(8 / 12, 4)
    assert (second.name, second.before, second.new) == ("Do you ship to Cork?", 0, True)


def test_without_texts_of_the_week_before_nothing_is_called_new(log):
    log.ask("Where is my parcel?", times=3)

    (topic,) = log.report().topics

    assert (topic.before, topic.change, topic.new) == (None, None, False)


def test_gaps_are_ranked_by_questions_times_the_people_who_can_have_missed_the_answer(log):
    log.ask("asked by one person again and again", "no_match", times=6, user="u")
    log.ask("asked by many and answered nearly always", times=40, users="m")
    log.ask("asked by many and answered nearly always", "timeout", times=2, users="m", cause="slow")
    log.ask("asked by four people", "no_match", times=4, users="f", cause="no_source")

    gaps = log.report().gaps

    assert [(gap.count, gap.demand) for gap in gaps] == [(4, 16), (6, 6), (2, 4)]
    assert gaps[0].causes == {"no_match/no_source": 4}
    assert gaps[2].outcomes == {"timeout": 2}


def test_rates_below_twenty_cases_are_counts(log):
    log.ask("x", times=12, useful=True)
    log.ask("y", "no_match", times=7, useful=False)

    report = log.report()

    assert report.answered == Rate(yes=12, of=19)
    assert report.helpful == Rate(yes=12, of=19)
    assert "%" not in subject(report)


def test_an_interval_holds_its_share_and_matches_the_published_example():
    low, high = wilson(81, 263)  # Newcombe 1998, table I

    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)


def test_two_rates_differ_only_beyond_chance():
    assert differ(Rate.out_of(900, 1000), Rate.out_of(800, 1000))
    assert not differ(Rate.out_of(46, 53), Rate.out_of(40, 50))
    assert not differ(Rate.out_of(20, 20), Rate.out_of(30, 30))


def test_health_tells_captured_from_what_arrived(log):
    log.ask("x", times=10)
    log.saw("2026-11-02", "a", received=[[1, 40]], captured=40, hello=True, dropped=1)
    log.saw("2026-11-09", "a", received=[[41, 50], [54, 60]], captured=60, dropped=2, refused=4, ignored=6)
    log.saw("2026-11-09", "b", received=[[2, 9]], captured=12, hello=True, goodbye=True)
    days = log.days()
    days[date(2026, 11, 10)].duplicates = 5

    weeks = [sum_week(log.week.ago(number), days) for number in (1, 0)]
    health = log.report(weeks=weeks, dead_events=3, dead_letters=1, late=2).health

    lost = (3 - 1) + (1 + 3)  # a: 51 to 53 less the one it dropped; b: 1, and 10 to 12 of its final count
    assert (health.lost, health.dropped, health.refused) == (lost, 1, 4)
    assert (health.accepted, health.duplicates, health.ignored) == (10, 5, 6)
    assert health.captured == 10 + 5 + lost + 1 + 4
    assert health.rejected == 4 + 3
    assert health.late == 2


def test_conflicting_ids_are_counted_across_the_days_of_the_week(log):
    ids = [IdSet.of({1, 2}), IdSet.of({2, 3})]
    days = {
        day: Rollup(zone="Europe/London", parts=[], identified=2, ids=known)
        for day, known in zip(log.week.days, ids, strict=False)
    }

    assert sum_week(log.week, days).conflicting == 1


def test_a_week_that_ends_in_unusual_silence_is_no_quiet_week(log):
    for day in range(2, 12):
        for hour in range(8, 20):
            log.ask("x", at=f"2026-11-{day:02}T{hour:02}")

    report = log.report()

    assert report.kind == "silent"
    assert report.last_event == "2026-11-11T20:00+00:00"
    assert subject(report) == "[mybot] ⚠ no events since Wed 11 November, 20:00 \u2013 wk 46"


def test_a_bot_that_is_asked_once_a_week_is_not_called_silent(log):
    for number in range(8):
        log.ask("x", at=f"{log.week.ago(number).monday}T10")

    assert log.report().kind == "quiet"


def test_no_events_at_all_is_said_as_that(log):
    report = log.report()

    assert report.kind == "empty"
    assert subject(report) == "[mybot] ⚠ no events yet \u2013 wk 46"


def test_a_first_week_begun_late_is_not_compared_by_percentages(log):
    log.ask("x", times=40, at="2026-11-06T10")
    log.ask("x", times=90, at="2026-11-10T10")

    report = log.report()

    assert report.before.partial
    assert "%" not in subject(report).partition("answered")[0].partition(",")[0]


def test_subjects_say_how_many_how_good_and_what_is_missing(log):
    log.ask("y", times=90, at="2026-11-02T10")
    log.ask("gap", "no_match", times=10, at="2026-11-02T10")
    log.ask("y", times=104)
    log.ask("gap", "no_match", times=16)

    assert subject(log.report()) == "[mybot] 120 questions (+20 %), 87 % answered, 1 gap to fix \u2013 wk 46"


def test_json_holds_the_documented_names(exits):
    found = msgspec.json.decode(render_json(exits.report()))

    assert found["period"]["week"] == "2026-W46"
    assert found["period"]["start"] == "2026-11-09T00:00:00+00:00"
    assert found["period"]["end"] == "2026-11-16T00:00:00+00:00"
    assert {"events", "questions", "people", "sessions"} <= found["totals"].keys()
    assert found["outcomes"].keys() == set(Outcome)
    assert {"yes", "no"} == found["useful"].keys()
    assert {"p50", "p95", "p99"} <= found["latency_ms"].keys()
    assert {"name", "count", "example", "share"} <= found["topics"][0].keys()
    assert {"name", "count", "people", "outcomes", "causes", "example"} <= found["gaps"][0].keys()
    wanted = {"captured", "accepted", "duplicates", "conflicting", "rejected", "late", "lost"}
    assert wanted <= found["health"].keys()


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/St_Johns", "Asia/Kolkata"])
def test_days_around_a_change_of_the_clocks_add_up(log, zone):
    week = Week(date(2026, 9, 21), ZoneInfo(zone))  # New Zealand's clocks change on its Sunday
    log.week = week
    for day in [*week.previous.days, *week.days, week.sunday + timedelta(days=1)]:
        for hour in range(24):
            log.ask("x", at=f"{day}T{hour:02}")

    report = log.report()

    assert report.totals.questions == report.before.totals.questions == 7 * 24
