"""Weeks of every kind, made up: so many questions, requests and events, as rollups and texts hold them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from tuppence.event import Outcome
from tuppence.pipeline.rollup import Cell, CitationUse, ModelUse, Rollup, RouteUse, Seen, merge_cells
from tuppence.pipeline.sketch import Histogram, IdSet
from tuppence.pipeline.texts import ASKERS, Text, key_of, merge_texts
from tuppence.report.facts import WEEKS, Evidence, facts
from tuppence.report.numbers import sum_week
from tuppence.report.period import Week
from tuppence.report.verdict import worded

WEEK = Week(date(2026, 11, 9), ZoneInfo("Europe/London"))


@dataclass(frozen=True, kw_only=True)
class Asking:
    """One question, asked `times` over by so many people, with one outcome."""

    text: str = "Where is my parcel?"
    outcome: str = "answered"
    cause: str = ""
    times: int = 1
    people: int = 1
    yes: int = 0
    no: int = 0
    ms: int | None = None
    score: int | None = None
    sources: tuple[str, ...] = ()
    channel: str = ""
    model: str = ""
    tokens: int = 0
    day: int = 1
    hour: int = 9

    def cell(self):
        """What a rollup says of it."""
        cell = Cell(events=self.times, questions=self.times, types={"question": self.times})
        cell.outcomes = {self.outcome: self.times}
        cell.causes = {f"{self.outcome}/{self.cause}": self.times} if self.cause else {}
        cell.useful_yes, cell.useful_no = self.yes, self.no
        cell.people = IdSet.of(crowd(self.people))
        cell.sessions = IdSet.of(crowd(self.people))
        if self.ms is not None:
            cell.latency.add(self.ms, self.times)
        cell.scores = {} if self.score is None else {self.score: self.times}
        answered = self.times if self.outcome == "answered" else 0
        cell.citations = {name: CitationUse(self.times, answered, self.yes, self.no) for name in self.sources}
        cell.sources = {self.channel: self.times} if self.channel else {}
        cell.models = {self.model: ModelUse(self.times, self.tokens, self.tokens)} if self.model else {}
        return cell

    def words(self):
        """What the texts say of it."""
        return Text(
            self.text,
            self.times,
            {self.outcome: self.times},
            {f"{self.outcome}/{self.cause}": self.times} if self.cause else {},
            sorted(crowd(self.people))[:ASKERS],
            self.people > ASKERS,
            self.yes,
            self.no,
        )


@dataclass(frozen=True, kw_only=True)
class Serving:
    """Requests of one route, so many of which failed or were refused."""

    route: str = "GET /items"
    times: int = 1
    errors: int = 0
    refused: int = 0
    ms: int | None = 20
    people: int = 0
    day: int = 1
    hour: int = 10

    def cell(self):
        """What a rollup says of it."""
        cell = Cell(events=self.times, types={"request": self.times})
        use = RouteUse(self.times, self.errors, Histogram(), self.refused)
        if self.ms is not None:
            use.latency.add(self.ms, self.times)
        cell.routes = {self.route: use}
        cell.people = IdSet.of(crowd(self.people))
        return cell


@dataclass(frozen=True, kw_only=True)
class Happening:
    """Events of the application's own."""

    name: str = "signup"
    times: int = 1
    people: int = 0
    day: int = 1
    hour: int = 11

    def cell(self):
        """What a rollup says of it."""
        cell = Cell(events=self.times, types={self.name: self.times})
        cell.people = IdSet.of(crowd(self.people))
        return cell


def crowd(people):
    """Return hashes that stand for so many people; the first ones are the same every time."""
    chance = Random(7)
    return [chance.getrandbits(64) for _ in range(people)]


def evidence(*weeks, kept=True, **more):
    """Return the evidence of weeks, oldest first, the last of them the one reported."""
    days = {}
    for number, happened in enumerate(reversed(weeks)):
        for one in happened:
            day = WEEK.ago(number).monday + timedelta(days=one.day)
            rollup = days.setdefault(day, Rollup(zone=WEEK.zone.key, parts=[]))
            name = f"{day}T{one.hour:02}"
            rollup.cells[name] = merge_cells([rollup.cells.get(name, Cell()), one.cell()])
    lost = more.pop("lost", 0)
    if lost and WEEK.monday + timedelta(days=1) in days:
        seen = Seen(received=[[lost + 1, lost + 5]], captured=lost + 5, hello=True, goodbye=True)
        days[WEEK.monday + timedelta(days=1)].instances["i1"] = seen
    return Evidence(
        project="mybot",
        weeks=[sum_week(WEEK.ago(number), days) for number in range(WEEKS - 1, -1, -1)],
        after={},
        texts=texts(weeks[-1]) if kept else {},
        texts_before={key: text.count for key, text in texts(weeks[-2]).items()} if weeks[1:] else {},
        texts_left_out=0 if kept else sum(one.times for one in weeks[-1] if isinstance(one, Asking)),
        next_send=datetime(2026, 11, 23, 7, tzinfo=UTC).astimezone(WEEK.zone),
        next_week=WEEK.ago(-1),
        keep_events=timedelta(days=30),
        keep_rollups=timedelta(days=800),
        **more,
    )


def texts(happened):
    """Return what was asked in a week, by key."""
    found = {}
    for one in happened:
        if isinstance(one, Asking):
            found.setdefault(key_of(one.text), []).append(one.words())
    return {key: merge_texts(parts) for key, parts in found.items()}


def report(*weeks, **more):
    """Return the report on the last of these weeks."""
    return worded(facts(evidence(*weeks, **more)))


NORMAL = [
    Asking(times=300, people=90, yes=40, no=4, ms=800, score=83, sources=("faq#7",), channel="web"),
    Asking(text="How do I pay?", times=80, people=40, yes=9, no=1, ms=1_500, model="small", tokens=9_000),
    Asking(
        text="Do you ship to Cork?", outcome="no_match", cause="low", times=24, people=20, ms=90, score=21
    ),
    Asking(
        text="Why is it late?", outcome="timeout", times=3, people=3, ms=9_000, day=4, hour=23, channel="app"
    ),
    Happening(times=12, people=12),
]
API = [Serving(times=900, errors=3, refused=20), Serving(route="POST /orders", times=210, ms=90)]
ONE = [Asking(people=1)]

KINDS = {
    "empty": ([],),
    "first week": (NORMAL,),
    "first week of one question": (ONE,),
    "partial week before": (ONE, NORMAL),
    "two alike": (NORMAL, NORMAL),
    "quiet": (NORMAL, ONE),
    "silent": (NORMAL, NORMAL, []),
    "silent for weeks": (NORMAL, [], []),
    "collapsing": (
        [Asking(times=200, people=50, yes=180, no=20, ms=900, day=0)],
        [Asking(times=210, people=50, yes=21, no=189, ms=30_000)],
    ),
    "no ratings": ([Asking(times=50, day=0)], [Asking(times=60)]),
    "no ratings any more": (NORMAL, [Asking(times=60)]),
    "one rating": (NORMAL, [Asking(times=60, yes=1)]),
    "no latency": ([Asking(times=60, yes=30, day=0)], [Asking(times=60, yes=30, model="m", tokens=3)]),
    "API only": (API, API),
    "API, first week": (API,),
    "API, one request": ([Serving()],),
    "API, route fails": (API, [*API[:1], Serving(route="GET /orders", times=210, errors=210)]),
    "API, nine routes fail": (API, [Serving(route=f"GET /{n}", times=90, errors=80) for n in "abcdefghi"]),
    "API without times": ([Serving(times=100, ms=None)], [Serving(times=100, ms=None, errors=90)]),
    "API gone quiet": ([*API, Happening()], [Happening()]),
    "questions and requests": ([*NORMAL, *API], [*NORMAL, *API]),
    "one person": (ONE, [Asking(times=45, people=1)]),
    "a million": (
        [Asking(times=900_000, people=20_000, yes=90_000, no=9_000, ms=700, day=0)],
        [Asking(times=1_000_000, people=25_000, yes=90_000, no=19_000, ms=710)],
    ),
    **{f"all {outcome}": ([Asking(times=40, outcome=outcome)],) for outcome in Outcome},
    "only own events": ([Happening(times=30)], [Happening(times=45, people=9), Happening(name="visit")]),
    "one own event": ([Happening()],),
    "gaps only": (
        NORMAL,
        [Asking(text="Cork?", outcome="no_match", times=30), Asking(text="A?", outcome="error")],
    ),
    "one gap": (NORMAL, [Asking(times=30), Asking(text="Cork?", outcome="no_match")]),
    "zero questions": (NORMAL, [Happening(times=3)]),
}
"""Weeks by what is special about them, oldest first."""

times = st.sampled_from([1, 2, 3, 19, 20, 40, 300, 5_000])
days, hours = st.integers(0, 6), st.integers(0, 23)
words = st.sampled_from(["Where is my parcel?", "How do I pay?", "Do you ship to Cork?", "Ist es da?", "?"])


@st.composite
def askings(draw):
    many = draw(times)
    rated = draw(st.integers(0, min(many, 60)))
    yes = draw(st.integers(0, rated))
    outcome = draw(st.sampled_from(list(Outcome)))
    return Asking(
        text=draw(words),
        outcome=outcome.value,
        cause=draw(st.sampled_from(["", "slow"])) if outcome != "answered" else "",
        times=many,
        people=draw(st.integers(0, min(many, 40))),
        yes=yes,
        no=rated - yes,
        ms=draw(st.sampled_from([None, 0, 90, 900, 30_000])),
        score=draw(st.sampled_from([None, 0, 49, 83, 100])),
        sources=draw(st.sampled_from([(), ("faq",), ("faq", "shop")])),
        channel=draw(st.sampled_from(["", "web", "app"])),
        model=draw(st.sampled_from(["", "small", "large"])),
        tokens=draw(st.sampled_from([0, 1, 900])),
        day=draw(days),
        hour=draw(hours),
    )


@st.composite
def servings(draw):
    many = draw(times)
    errors = draw(st.integers(0, many))
    return Serving(
        route=draw(st.sampled_from(["GET /items", "POST /orders", "GET /", "PUT /users/{id}"])),
        times=many,
        errors=errors,
        refused=draw(st.integers(0, many - errors)),
        ms=draw(st.sampled_from([None, 0, 20, 5_000])),
        people=draw(st.integers(0, 3)),
        day=draw(days),
        hour=draw(hours),
    )


happenings = st.builds(
    Happening, name=st.sampled_from(["signup", "visit"]), times=times, people=st.integers(0, 3), day=days
)
weeks = st.lists(st.one_of(askings(), servings(), happenings), max_size=6)
histories = st.lists(weeks, min_size=1, max_size=3)
troubles = st.fixed_dictionaries(
    {},
    optional={
        "kept": st.booleans(),
        "lost": st.sampled_from([1, 400]),
        "late": st.integers(0, 2),
        "dead_events": st.integers(0, 2),
        "dead_letters": st.integers(0, 2),
        "waiting_hours": st.integers(0, 2),
        "unconfirmed": st.sampled_from([(), ("2026-W44",), ("2026-W43", "2026-W44")]),
    },
)
