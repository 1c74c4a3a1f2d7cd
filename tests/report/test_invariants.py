"""What holds of every mail, whatever the week was like."""

import re
from datetime import datetime
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from report import weeks
from tuppence.report.compose import compose
from tuppence.report.render import MAX_HTML, render_html, render_json, render_text
from tuppence.report.typeset import WIDTH, width
from tuppence.report.verdict import subject
from tuppence.report.words import hour_of, moment, percent, points, span

MANY = "question|event|request|person|rating|time|gap|token|route|row|session|hour|error|day|message|point"
NOTHING = "Nothing needs your attention this week."
BROKEN = re.compile(
    r"  | [,;.:]|\.\.|,,|;;|\bit the\b|\b0 of 0\b|\bNone\b|\bnan\b|\binf\b|“”|\(\)|True|False|{{|}}|,\s*[.;]"
)
"""What no sentence holds: gaps, stray marks, and values that were meant for a program."""
KIND = r"(?:more |timed |different )?"
ONE_OF_MANY = re.compile(rf"(?<![\d.,])1 {KIND}(?:(?:{MANY})s|people)\b")
MANY_OF_ONE = re.compile(rf"(?<![\d.,])(?!1 )(?:\d[\d,]*)?\d {KIND}(?:{MANY})\b")


class Reader(HTMLParser):
    """The words of a page, those of attributes too."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page.partition("<body")[2])

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name == "aria-label"]

    def handle_data(self, data):
        self.found.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.found).split())


def flat(text):
    return " ".join(text.replace("\u00a0", " ").split())


def prose(report, view):
    """Every sentence of the mail, as it was written."""
    yield from (subject(report), view.preheader, view.legend, *report.verdict, *view.footer)
    for action in report.actions:
        yield from (f"{action.title}.", action.why)
    for figure in view.heroes + view.ledger:
        yield from (figure.change, figure.note)
    for section in view.sections:
        yield from (section.intro, section.after, section.closing)
        for entry in section.entries:
            yield from entry.notes


def pieces(view):
    """Every text and number of the mail."""
    yield from (view.project, view.title, view.days, view.legend, *view.verdict, *view.footer)
    for figure in view.heroes + view.ledger:
        yield from (figure.label, figure.value, figure.note, figure.change)
        yield figure.history if figure.bars else ""
    for todo in view.todos:
        yield from (todo.title, todo.why, todo.command)
    for section in view.sections:
        yield from (section.title, section.intro, section.after, section.closing)
        for entry in section.entries:
            yield from (entry.title, entry.badge, entry.value, *entry.notes)
        for table in section.tables:
            yield from (*table.head, *(name for row in table.rows for name in row))
        for row in section.grid.rows if section.grid else ():
            yield from (row.label, row.total, *(count for count, _ in row.cells))


def tones(view):
    return {figure.tone for figure in view.heroes + view.ledger}


def check(report):
    """Hold a report to all of it."""
    view = compose(report)
    html, text = render_html(report), render_text(report)
    subject_is_what_the_body_says(report, view, text)
    what_is_bad_asks_for_something(report, view)
    sentences_are_whole(report, view)
    both_parts_say_the_same(view, html, text)
    numbers_add_up(report)
    numbers_in_sentences_are_known(report, view)
    assert len(html.encode()) < MAX_HTML
    assert not re.search(r"url\(|@import|<script|<img|<link|javascript:|https?://", html, re.IGNORECASE)
    assert max(width(line) for line in text.splitlines()) <= WIDTH


def subject_is_what_the_body_says(report, view, text):
    said = subject(report)
    body = flat(text)
    gaps = re.search(r"([\d,]+) gaps? to fix", said)
    if gaps:
        assert int(gaps[1].replace(",", "")) == report.gaps_distinct
        assert f"makes {gaps[1]} gap" in body
    if report.kind in {"normal", "quiet"}:
        count = re.search(r"([\d,]+) (questions?|requests?|events?)(?: \(|,| \u2013)", said)
        assert view.heroes[0].value == count[1]
        assert f"{count[1]} {count[2]}" in flat(" ".join(report.verdict))
    for share in re.findall(r"[\d.]+ % (?:answered|failed)", said):
        assert share.split(" %")[0] in view.heroes[1].value


def what_is_bad_asks_for_something(report, view):
    if "bad" in tones(view) or [one for one in report.changes if one.tone == "bad"]:
        assert report.actions
        assert "⚠" in subject(report)
    assert (NOTHING in report.verdict) == (not report.actions)
    assert len(report.actions) <= 3


def sentences_are_whole(report, view):
    for sentence in map(str, prose(report, view)):
        plain = sentence.replace("\u00a0", " ")
        assert not BROKEN.search(plain), sentence
        assert not ONE_OF_MANY.search(plain), sentence
        assert not MANY_OF_ONE.search(plain), sentence
    for sentence in (*report.verdict, *view.footer):
        assert re.match(r"[A-Z0-9“]", sentence), sentence
        assert sentence.endswith("."), sentence


def both_parts_say_the_same(view, html, text):
    shown, body = Reader(html).text, flat(text)
    missing = [piece for piece in map(flat, pieces(view)) if piece not in flat(shown) or piece not in body]
    assert missing == []


def numbers_add_up(report):
    totals = report.totals
    assert sum(report.outcomes.values()) == totals.questions
    assert sum(report.unresolved.values()) + report.outcomes["answered"] == totals.questions
    assert sum(map(sum, report.by_hour)) == getattr(totals, report.by_hour_of)
    assert sum(report.types.values()) == totals.events
    assert sum(one.count for one in report.events) == totals.events
    assert sum(report.scores.bands) == report.scores.count <= totals.questions
    assert sum(route.requests for route in report.routes) == report.requests.total
    assert sum(route.errors for route in report.routes) == report.requests.errors
    assert sum(topic.count for topic in report.topics) + report.health.texts_left_out == totals.questions
    assert sum(gap.count for gap in report.gaps) <= sum(report.unresolved.values())
    for gap in report.gaps:
        assert sum(gap.outcomes.values()) == gap.count <= gap.asked


def numbers_in_sentences_are_known(report, view):
    """No sentence makes a number up: it stands in a figure, a table or the JSON, or is a difference."""
    known = set(numbers(" ".join(map(str, pieces_of_tables(view)))))
    known |= set(numbers(render_json(msgspec.structs.replace(report, verdict=[], actions=[])).decode()))
    known |= {f"{value:,}" for value in integers(msgspec.to_builtins(report))} | derived(report)
    for sentence in (subject(report), *report.verdict, *(action.why for action in report.actions)):
        unknown = [one for one in numbers(sentence) if one not in known]
        assert not unknown, (unknown, sentence)


def pieces_of_tables(view):
    for figure in view.heroes + view.ledger:
        yield from (figure.value, figure.change, figure.note, figure.history)
    for section in view.sections:
        for table in section.tables:
            yield from (cell for row in table.rows for cell in row)


def derived(report):
    found = {"95", "500", str(int(report.period.week[-2:]))}
    for change in report.changes:
        moved = abs(change.now - change.before)
        if "p" in change.measure and change.measure[-1].isdigit():
            texts = (span(int(change.now)), span(int(change.before)))
        else:
            texts = (points(moved), percent(change.now), percent(change.before))
        found |= set(numbers(" ".join(texts)))
    found |= {f"{sum(report.unresolved.values()):,}", f"{report.health.lost + report.health.dropped:,}"}
    found |= set(numbers(" ".join(f"{one.useful.yes + one.useful.no:,}" for one in report.topics)))
    if report.last_event:
        found |= set(numbers(moment(datetime.fromisoformat(report.last_event))))
    if report.worst_hour:
        found |= set(numbers(hour_of(report.worst_hour.hour)))
    worse = sum(one.tone == "bad" for one in report.changes) + sum(one.failing for one in report.routes)
    return found | {str(number) for number in range(1, worse)}


def numbers(text):
    return [one.rstrip(".,") for one in re.findall(r"\d[\d.,]*", text.replace("\u00a0", " "))]


def integers(value):
    if isinstance(value, dict):
        for one in value.values():
            yield from integers(one)
    elif isinstance(value, list):
        for one in value:
            yield from integers(one)
    elif type(value) is int:
        yield value


@pytest.mark.parametrize("kind", weeks.KINDS)
def test_every_kind_of_week_makes_a_mail_that_can_be_trusted(kind):
    check(weeks.report(*weeks.KINDS[kind]))


@pytest.mark.parametrize("kind", ["first week", "two alike", "collapsing", "API, route fails"])
def test_so_it_does_where_words_are_gone_and_events_were_lost(kind):
    troubled = {"kept": False, "lost": 400, "dead_letters": 1, "dead_events": 2, "unconfirmed": ("2026-W44",)}

    check(weeks.report(*weeks.KINDS[kind], **troubled))


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(weeks.histories, weeks.troubles)
def test_any_week_makes_a_mail_that_can_be_trusted(history, trouble):
    check(weeks.report(*history, **trouble))
