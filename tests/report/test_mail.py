import csv
import re
from html.parser import HTMLParser
from io import StringIO

import msgspec
import pytest

from tuppence.pipeline.rollup import CitationUse, ModelUse, RouteUse
from tuppence.report.compose import compose
from tuppence.report.csv import gaps_csv, topics_csv
from tuppence.report.facts import facts
from tuppence.report.inert import cell, line
from tuppence.report.render import MAX_HTML, render_html, render_text
from tuppence.report.typeset import WIDTH, width
from tuppence.report.verdict import subject, worded

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "{{7*7}}{% raw %}${7*7}",
    "\u202egnp.exe\u202c\u2066x\u2069",
    "hello\r\nBcc: evil@example.com\r\n\r\nbody",
    "see https://evil.example/x?y=1 or www.evil.example",
    "\x00\x1b[31mred\x07\x9b",
    "Z" + "\u0301\u0302\u0303\u0304" * 50,
    "W" * 5_000,
    "مرحبا",
    "日本語の質問です" * 40,
    "\u200b\u2028\u2029",
]
TAGS = set(
    "html head meta title style body div table tbody caption tr th td p b a h1 h2 br span code".split()  # noqa: SIM905 - a line, not a page
)


class Reader(HTMLParser):
    """What a mail reader shows, and what it would act on."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.words = set(), [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words += data.split()


@pytest.fixture
def week(log):
    """A busy week after another, with something to say in every section."""
    for day, hour, times in [(2, 9, 30), (9, 9, 40), (11, 20, 25)]:
        at = f"2026-11-{day:02}T{hour:02}"
        log.ask("Where is my parcel?", times=times, at=at, users="p", ms=400, source="web", session="s")
        log.ask(
            "Do you ship to Cork?", "no_match", times=times // 3, at=at, users="c", ms=90, cause="no_source"
        )
        log.ask("How do I pay?", times=times // 2, at=at, users="d", ms=1_700, useful=True, source="app")
        log.ask("Why is it late?", "timeout", times=5, at=at, users="e", ms=9_000, cause="slow")
        log.ask("Can I pay by cheque?", times=4, at=at, users="q", ms=300, useful=False)
    return log


@pytest.fixture
def hostile(log):
    for number, text in enumerate(HOSTILE):
        outcome = "no_match" if number % 2 else "answered"
        log.ask(text, outcome, times=30 - number, users=text, cause=text, source=text, useful=False)
    return log


def said(view):
    """Every text and number of the mail, in pieces."""
    yield from (view.project, view.title, view.days, *view.verdict, *view.footer)
    for figure in view.heroes + view.ledger:
        yield from (figure.label, figure.value, figure.note, figure.change, figure.history)
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


def words(text):
    return text.split()


def test_the_text_part_says_everything_the_html_part_shows(week):
    report = week.report()

    shown = Reader(render_html(report)).words
    text = words(render_text(report))

    start = shown.index("mybot")  # styles come before it
    numbers = [word for word in shown[start:] if re.search(r"\d", word)]
    assert len(numbers) > 200
    assert {word.strip(".,;:()“”") for word in numbers} <= {word.strip(".,;:()“”") for word in text}
    assert all(topic.name.split()[-1] in text for topic in report.topics)


def test_both_parts_hold_every_piece_of_the_view(week):
    report = week.report()
    reader = Reader(render_html(report))
    html = " ".join([*reader.words, *(value.replace("\u00a0", " ") for _, value in reader.attributes)])
    text = " ".join(words(render_text(report)))

    pieces = {" ".join(piece.split()) for piece in said(compose(report))}

    assert len(pieces) > 100
    assert [piece for piece in pieces if piece not in html] == []
    assert [piece for piece in pieces if piece not in text] == []


def test_every_section_is_there_or_named_as_left_out(week):
    report = week.report()

    text = render_text(report)

    for title in ("What was asked", "What it could not answer", "Was it useful?", "When", "Speed"):
        assert f"\n{title}\n---" in text
    assert (
        "Not shown, for lack of data: Models and tokens, Scores and sources, API routes, Other events."
        in " ".join(text.split())
    )


def test_hostile_words_change_nothing_but_the_words(week, hostile):
    report = hostile.report()

    page = Reader(render_html(report))

    assert page.tags <= TAGS
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"href", "src"}]
    assert "{{7*7}}{%" in page.words


def test_nothing_in_the_html_is_fetched_or_run(week):
    page = render_html(week.report())

    assert not re.search(r"url\(|@import|<script|<img|<link|javascript:|https?://", page, re.IGNORECASE)


def test_no_control_or_direction_character_reaches_either_part(hostile):
    report = hostile.report()

    for part in (render_html(report), render_text(report), subject(report)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", part)


def test_addresses_in_questions_are_no_links_in_the_text_part(hostile):
    text = render_text(hostile.report())

    assert "://" not in text
    assert "www[.]evil[.]example" in text.replace("\n    ", "")


def test_a_question_cannot_add_a_header(hostile):
    told = subject(hostile.report(project="p\r\nBcc: evil@example.com"))

    assert "\n" not in told
    assert "\r" not in told


def test_spreadsheets_find_no_formula(hostile):
    report = hostile.report()

    for body in (topics_csv(report), gaps_csv(report)):
        rows = list(csv.reader(StringIO(body.removeprefix("\ufeff"))))
        assert len(rows) > 3
        assert not [name for row in rows for name in row if name.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", " =1", "\t=1", "\ufeff=1", "\n\n=1"])
def test_a_cell_that_would_be_a_formula_is_led_by_an_apostrophe(text):
    assert cell(text).startswith("'")


def test_a_line_is_cut_and_never_broken():
    assert line("a\r\nb\u2028c\td") == "a b c d"
    assert line("x" * 300, 20) == "x" * 19 + "…"
    assert line("") == ""


def test_text_keeps_to_its_width(week, hostile):
    for report in (week.report(), hostile.report()):
        assert max(width(row) for row in render_text(report).splitlines()) <= WIDTH


def test_statements_that_were_ignored_are_shown_under_data_health(log):
    log.ask("x", times=10)
    log.saw("2026-11-09", "a", received=[[1, 10]], captured=10, ignored=6)
    report = log.report()

    assert "Statements ignored" in render_html(report)
    assert re.search(r"Statements ignored.* 6\b", render_text(report))


@pytest.fixture
def enormous(log):
    """Two weeks in which everything that can be long is as long, and as many, as can be."""
    long = "&" * 400
    outcomes = ["no_match", "error", "timeout", "refused", "rate_limited", "invalid", "answered"]
    days = [day for week in (log.week.previous, log.week) for day in week.days]
    for number in range(40):
        name = f"{number}{long}"
        told = {"ms": 10**7, "cause": name, "source": name, "useful": number % 2 == 0}
        for place, day in enumerate(days):
            at = f"{day}T{(number + 5 * place) % 24:02}"
            text = chr(0x4E00 + number) + long
            log.ask(text, outcomes[number % 7], at=at, users=f"{number}{at}", session=at, **told)
    for number in range(2, 8):
        log.ask("x", at=f"{log.week.ago(number).monday}T10", ms=1)
    counts = dict.fromkeys(["late", "dead_events", "dead_letters", "texts_left_out", "waiting_hours"], 10**9)
    evidence = log.evidence(project="p" * 48, unconfirmed=["2026-W45", "2026-W44", "2026-W43"], **counts)
    total = evidence.weeks[-1].total
    for number in range(20):
        total.models[f"{number}{long}"] = ModelUse(10**12, 10**15, 10**15)
        total.citations[f"{number}{long}"] = CitationUse(10**12, 10**12, 10**12, 10**12)
        total.scores[number] = 10**12
        total.types[f"{number}{long}"] = 10**12
        total.routes[f"{number}{long}"] = RouteUse(10**12, 10**12)
    return worded(facts(evidence))


def test_the_largest_possible_mail_stays_below_the_limit(enormous):
    size = len(render_html(enormous).encode())

    assert 50_000 < size < MAX_HTML
    assert not enormous.health.omitted


def test_phones_and_dark_screens_keep_their_rules(week):
    page = render_html(week.report())

    assert "@media (max-width:480px)" in page
    assert "@media (prefers-color-scheme:dark)" in page
    assert '<meta name="color-scheme" content="light dark">' in page


def test_styles_stand_in_place_for_readers_that_drop_the_style_element(week):
    body = render_html(week.report()).partition("<body")[2]

    assert "<style" not in body
    assert re.search(r'<h1 class="verdict" style="[^"]*font', body)


def test_screen_readers_find_the_heads_of_the_grid(week):
    body = render_html(week.report())

    assert body.count('scope="col"') >= 8
    assert '<html lang="en">' in body
    assert body.count("<h1") == 1


@pytest.mark.parametrize("count", [0, 1, 4, 19, 20])
def test_small_weeks_render(log, count):
    log.ask("only one kind", times=count, ms=10, user="u")

    report = log.report()

    assert render_html(report)
    assert " 100 %" not in render_text(report) or count >= 20


def test_a_project_without_questions_reads_in_events(log):
    for day, times in ((3, 30), (10, 45)):
        for number in range(times):
            log.say("signup", at=f"2026-11-{day:02}T10", user=f"u{number}", session=f"s{number}")

    report = log.report()

    assert subject(report).startswith("[mybot] 45 events")
    assert "question" not in render_text(report).partition("Not shown")[0]


def test_a_late_mail_says_so(week):
    late = msgspec.structs.replace(week.report(), overdue=True)

    assert subject(late).endswith("wk 46, late")
    assert "This mail is late" in render_text(late)
