"""What got worse is said, whatever it is: in subject and verdict, by its colour, and as something to do."""

import pytest

from tuppence.pipeline.rollup import RouteUse
from tuppence.pipeline.sketch import Histogram
from tuppence.report.changes import fails
from tuppence.report.compose import compose
from tuppence.report.verdict import subject

BEFORE = "2026-11-02T10"


def bad_figures(report):
    view = compose(report)
    return [figure.label for figure in view.heroes + view.ledger if figure.tone == "bad"]


def rated(log, at, yes, no, ms):
    log.ask("Where is my parcel?", times=yes, at=at, useful=True, ms=ms)
    log.ask("Where is my parcel?", times=no, at=at, useful=False, ms=ms)


@pytest.fixture
def collapsed(log):
    """A bot whose answers helped nine of ten people in 0.9 s, and now help one of ten in 30 s."""
    rated(log, BEFORE, 180, 20, 900)
    rated(log, "2026-11-10T10", 21, 189, 30_000)
    return log.report()


def test_a_bot_that_collapses_is_said_to(collapsed):
    assert subject(collapsed) == (
        "[mybot] ⚠ helpful down 80 points; 210 questions (+5 %), all answered \u2013 wk 46"
    )
    assert collapsed.verdict[0] == (
        "Helpful ratings fell from 90 % to 10 % and the median answer time rose from 904 ms to 30 s."
    )
    assert collapsed.verdict[-1] == "First thing to do: find out why answers help less."
    assert [action.title for action in collapsed.actions] == [
        "Find out why answers help less",
        "Find out why answers take longer",
        "Improve the answer to “Where is my parcel?”",
    ]
    assert "21 of 210 ratings" in collapsed.actions[0].why
    assert collapsed.actions[0].command == "tuppence report --week 2026-W45"
    assert "the 95th percentile rose from 904 ms to 30 s" in collapsed.actions[1].why
    assert compose(collapsed).alarm
    assert bad_figures(collapsed) == ["Helpful", "Median answer time", "95th percentile"]


@pytest.mark.parametrize("known", [True, False], ids=["served the week before", "new"])
def test_a_route_that_fails_every_time_is_said_to(log, known):
    log.request("GET /items", times=1_000, at=BEFORE, ms=20)
    log.request("GET /items", times=1_000, ms=20)
    log.request("GET /orders", 500, times=210, ms=20)
    if known:
        log.request("GET /orders", times=200, at=BEFORE, ms=20)

    report = log.report()

    assert subject(report).startswith("[mybot] ⚠ GET /orders fails; 1,210 requests")
    assert report.verdict[0] == "GET /orders failed all 210 times."
    assert report.actions[0].title == "Repair GET /orders"
    assert report.actions[0].why.startswith("210 errors in 210 requests")
    assert [route.name for route in report.routes if route.failing] == ["GET /orders"]


@pytest.mark.parametrize(
    ("before", "now", "label", "title"),
    [
        (
            {"outcome": "answered"},
            {"outcome": "no_match"},
            "Answered",
            "Find out why fewer questions are answered",
        ),
        ({"ms": 900}, {"ms": 1_900}, "95th percentile", "Find out why answers take longer"),
        ({"outcome": "answered"}, {"outcome": "timeout"}, "Answered", "Look into the errors and timeouts"),
    ],
)
def test_what_turned_red_is_to_be_acted_upon(log, before, now, label, title):
    for at, share, changed in ((BEFORE, 100, {}), ("2026-11-10T10", 70, now)):
        log.ask("x", at=at, times=share, **{"outcome": "answered", **before})
        log.ask("x", at=at, times=100 - share, **{"outcome": "answered", **before, **changed})

    report = log.report()

    assert label in bad_figures(report)
    assert title in [action.title for action in report.actions]
    assert "⚠" in subject(report)


def test_a_change_that_chance_explains_is_none(log):
    rated(log, BEFORE, 40, 10, 900)
    rated(log, "2026-11-10T10", 38, 12, 915)

    report = log.report()

    assert not [change for change in report.changes if change.direction]
    assert report.verdict[-1] == "Nothing needs your attention this week."


def test_many_cases_do_not_make_a_small_change_a_bad_one(log):
    log.ask("x", times=9_000, at=BEFORE, ms=1_000)
    log.ask("x", times=9_000, ms=1_030)

    assert not [change for change in log.report().changes if change.direction]


def test_a_few_slow_answers_more_move_no_percentile(log):
    log.ask("x", times=29, at=BEFORE, ms=900)
    log.ask("x", at=BEFORE, ms=1_000)
    log.ask("x", times=27, ms=900)
    log.ask("x", times=3, ms=30_000)

    assert (log.report().change("p95").now, log.report().change("p95").direction) == (
        pytest.approx(30_000, rel=0.02),
        "",
    )


def test_an_answer_time_that_fell_is_good_news(log):
    log.ask("x", times=100, at=BEFORE, ms=900)
    log.ask("x", times=100, ms=300)

    median = log.report().change("p50")

    assert (median.direction, median.tone) == ("down", "good")


def test_values_beyond_another_are_counted_by_bucket():
    times = Histogram()
    for value, count in ((0, 1), (10, 2), (1_000, 3), (1_005, 4), (5_000, 5)):
        times.add(value, count)

    assert (times.below(10), times.above(10)) == (1, 12)
    assert (times.below(1_000), times.above(1_000)) == (3, 5)  # 1,000 and 1,005 share a bucket
    assert (times.below(0), times.above(6_000)) == (0, 0)


@pytest.mark.parametrize(
    ("now", "before", "failing"),
    [
        ((210, 210), None, True),
        ((3, 3), None, True),
        ((2, 2), None, False),
        ((0, 500), None, False),
        ((30, 1_000), (0, 1_000), True),
        ((30, 1_000), (28, 1_000), False),
        ((5, 10_000), (0, 10_000), False),
    ],
)
def test_a_route_fails_by_its_share_of_errors_or_by_their_rise(now, before, failing):
    uses = [
        RouteUse(requests, errors) if case else None
        for case in (now, before)
        for errors, requests in [case or (0, 0)]
    ]

    assert fails(*uses, among=1) is failing


def test_a_question_rated_worse_than_the_others_is_named(log):
    log.ask("How do I pay?", times=95, useful=True)
    log.ask("How do I pay?", times=5, useful=False)
    log.ask("Where is my parcel?", times=30, useful=True)
    log.ask("Where is my parcel?", times=20, useful=False)

    (action,) = log.report().actions

    assert action.title == "Improve the answer to “Where is my parcel?”"
    assert action.why == "20 of 50 ratings said that the answer did not help."


def test_one_bad_rating_blames_no_question(log):
    log.ask("How do I pay?", times=30, useful=True)
    log.ask("Where is my parcel?", times=2, useful=False)

    assert log.report().actions == []


def test_of_ten_failing_routes_the_worst_three_are_to_be_repaired(log):
    for number in range(10):
        log.request(f"GET /r{number}", 503, times=100 + number)

    report = log.report()

    assert [action.title for action in report.actions] == [
        "Repair GET /r9",
        "Repair GET /r8",
        "Repair GET /r7",
    ]
    assert "7 more things got worse" in report.verdict[0]
