"""What an owner reads whose application answers requests and no questions."""

from tuppence.report.compose import compose
from tuppence.report.render import render_text
from tuppence.report.verdict import subject

BEFORE = "2026-11-02T10"


def test_an_api_owner_reads_requests_failures_and_the_95th_percentile_first(log):
    for at, times in ((BEFORE, 1_000), ("2026-11-10T10", 1_200)):
        log.request("GET /items", times=times, at=at, ms=20, user="u")
        log.request("POST /items", 422, times=30, at=at, ms=35)
        log.request("GET /items", 500, times=5, at=at, ms=900)

    report = log.report()
    view = compose(report)

    assert subject(report) == "[mybot] 1,235 requests (+19 %), 0.4 % failed \u2013 wk 46"
    assert report.verdict == [
        "1,235 requests from 1 person, 19 % more than the week before.",
        "0.4 % of them failed, and 95 % took no longer than 20 ms.",
        "Nothing needs your attention this week.",
    ]
    assert [(figure.label, figure.value) for figure in view.heroes] == [
        ("Requests", "1,235"),
        ("Failed (5xx)", "0.4\u00a0%"),
        ("p95 time", "20\u00a0ms"),
    ]
    assert all(len(figure.bars) == 2 for figure in view.heroes)
    assert "Client errors (4xx)" in [figure.label for figure in view.ledger]
    assert [section.title for section in view.sections] == ["When", "API routes", "Data health"]


def test_an_api_with_more_failures_says_so_where_no_route_stands_out(log):
    for at, errors in ((BEFORE, 1), ("2026-11-10T10", 4)):
        for number in range(30):
            log.request(f"GET /r{number}", times=96, at=at)
            log.request(f"GET /r{number}", 500, times=errors, at=at)

    report = log.report()

    assert not [route.name for route in report.routes if route.failing]
    assert subject(report).startswith(
        "[mybot] ⚠ failed requests up 3 points; 3,000 requests (+3 %), 4 % failed"
    )
    assert [action.title for action in report.actions] == ["Look into the failed requests"]
    assert compose(report).heroes[1].tone == "bad"


def test_questions_stay_the_headline_where_there_are_requests_too(log):
    log.ask("x", times=30)
    log.request("GET /items", times=500)

    view = compose(log.report())

    assert view.heroes[0].label == "Questions"
    assert "API routes" in [section.title for section in view.sections]


def test_the_table_shows_failing_routes_first_and_says_how_many_there_are(log):
    for number in range(12):
        log.request(f"GET /good{number}", times=500)
    for number in range(7):
        log.request(f"GET /bad{number}", 503, times=50)

    text = " ".join(render_text(log.report()).split())

    assert "7 routes are failing; they come first below." in text
    table = text.partition("Requests by route")[2].partition("Response time")[0]
    assert all(f"GET /bad{number}" in table for number in range(7))
    assert "And 12 more routes, in the attached table." in text


def test_own_events_scores_sources_and_tokens_appear_without_any_latency(log):
    log.say("signup", at=BEFORE)
    for _ in range(3):
        log.say("signup")
    log.ask("x", times=8, score=0.83, sources=["faq#7", "faq#8"], model="small", tokens=10, useful=True)
    log.ask("y", "no_match", times=2, score=0.21, sources=["faq#8"], model="", tokens=5)

    text = " ".join(render_text(log.report()).split())

    assert "3 events that your application named itself." in text
    assert "signup 3 1" in text
    assert "10 questions had a score. The median is 0.83; 2 were below 0.5." in text
    assert "faq#8 10 8 of 10 8 of 8" in text
    assert "90 tokens in, 90 tokens out." in text
    assert "(no name) 2 10 10" in text
