"""CSV is read strictly: no quotation mark joins rows in silence, and what is legal is taken."""

import csv
import io
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.errors import InvalidEvent
from tuppence.pipeline.csv_rows import MAX_ROW_CHARACTERS, read_csv

HEADER = "time,type,user,text,outcome\n"
ROWS = [
    f"2026-11-16T09:0{minute}:00Z,question,u{minute},Question {minute},answered\n" for minute in range(1, 6)
]


def read(*lines):
    """Return the texts that were read and the numbers of the lines that were refused."""
    texts, refused = [], []
    for number, row, _ in read_csv(line.encode() for line in lines):
        if isinstance(row, InvalidEvent):
            refused.append(number)
        else:
            texts.append(row["data"]["text"])
    return texts, refused


GOOD = [f"Question {minute}" for minute in range(1, 6)]


def test_a_quotation_mark_that_is_never_closed_costs_its_own_row_alone():
    broken = '2026-11-16T09:00:00Z,question,u0,"Where is my order?,answered\n'

    assert read(HEADER, broken, *ROWS) == (GOOD, [2])


def test_so_does_one_that_a_quoted_text_further_on_would_close():
    broken = '2026-11-16T09:00:00Z,question,u0,"Where is my order?,answered\n'
    quoted = '2026-11-16T09:10:00Z,question,u9,"Hello, is it open?",answered\n'

    assert read(HEADER, broken, *ROWS, quoted) == ([*GOOD, "Hello, is it open?"], [2])


def test_a_mark_that_closes_rows_later_is_found_by_the_rows_within_the_text():
    broken = '2026-11-16T09:00:00Z,question,u0,"Where is my order?,answered\n'
    closing = '2026-11-16T09:10:00Z,question,u9,a screen of 5",answered\n'
    last = "2026-11-16T09:11:00Z,question,u9,Last,answered\n"

    texts, refused = read(HEADER, broken, *ROWS, closing, last)

    assert (texts, refused) == (["Last"], [2])


def test_text_after_a_closing_mark_costs_its_own_row_alone():
    broken = '2026-11-16T09:00:00Z,question,u0,"5" screen?,answered\n'

    assert read(HEADER, broken, *ROWS) == (GOOD, [2])


def test_a_mark_inside_a_value_that_is_not_quoted_is_part_of_it():
    assert read(HEADER, '2026-11-16T09:00:00Z,question,u0,a 5" screen,answered\n') == (['a 5" screen'], [])


def test_rows_are_numbered_by_the_line_they_begin_on():
    lines = ['2026-11-16T09:00:00Z,question,u0,"two\n', 'lines",answered\n', "\n", "a,b,c,d,e,f\n", *ROWS[:1]]

    assert read(HEADER, *lines) == (["two\nlines", "Question 1"], [5])


def test_a_text_may_hold_lines_that_begin_with_a_time():
    text = "My log says:\n2026-11-16T09:00:00Z,ERROR,disk full\nWhat is that?"
    file = io.StringIO()
    csv.writer(file).writerow(["2026-11-16T09:00:00Z", "question", "u1", text, "answered"])

    assert read(HEADER, *file.getvalue().splitlines(keepends=True)) == ([text], [])


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_header_tells_the_delimiter(delimiter):
    lines = [line.replace(",", delimiter) for line in (HEADER, *ROWS)]

    assert read(*lines) == (GOOD, [])


def test_fields_may_be_named_in_capitals_and_columns_without_a_name_are_left_out():
    [(_, row, _)] = read_csv([b",Time,TYPE,text\n", b"0,2026-11-16T09:00:00Z,question,Open?\n"])

    assert row == {"time": "2026-11-16T09:00:00Z", "type": "question", "data": {"text": "Open?"}}


def reasons(*lines):
    return [
        str(row) for _, row, _ in read_csv(line.encode() for line in lines) if isinstance(row, InvalidEvent)
    ]


def test_a_row_with_too_many_or_too_few_values_is_refused():
    short, long = "2026-11-16T09:00:00Z,question,u1,cut off\n", ROWS[0].replace("answered", "answered,x")

    assert read(HEADER, short, long, *ROWS) == (GOOD, [2, 3])
    assert reasons(HEADER, short, long) == ["4 values for 5 columns", "6 values for 5 columns"]


def test_what_the_report_knows_may_be_named_in_capitals_too():
    [(_, row, _)] = read_csv(
        [b"Time,Type,Text,Outcome,Channel\n", b"2026-11-16T09:00:00Z,question,Open?,no_match,web\n"]
    )

    assert row["data"] == {"text": "Open?", "outcome": "no_match", "Channel": "web"}


def test_of_two_names_that_differ_in_capitals_alone_each_stays_as_it_is():
    [(_, row, _)] = read_csv([b"time,type,text,Text\n", b"2026-11-16T09:00:00Z,question,small,large\n"])

    assert row["data"] == {"text": "small", "Text": "large"}


def test_rows_whose_column_is_there_twice_are_refused_because_one_value_would_be_lost():
    assert reasons("time,type,text,text\n", "2026-11-16T09:00:00Z,question,a,b\n") == [
        "two columns are called 'text'; rename one of them"
    ]


def test_lines_inside_a_text_that_looks_like_rows_are_accounted_for():
    broken = '2026-11-16T09:00:00Z,question,u0,"Where is my order?,answered\n'
    closing = '2026-11-16T09:10:00Z,question,u9,a screen of 5",answered\n'

    [reason] = reasons(HEADER, broken, *ROWS, closing)

    assert "ends on line 8" in reason


def test_a_number_that_is_none_is_a_value_that_is_not_there():
    [(_, row, _)] = read_csv(
        [b"time,type,score,input_tokens\n", b"2026-11-16T09:00:00Z,question,nan,210.0\n"]
    )

    assert row["data"] == {"score": None, "input_tokens": 210.0}


def test_no_row_is_followed_without_end():
    """A file of any size whose first quotation mark is never closed is read a bounded piece ahead."""
    ahead = 0

    def lines():
        nonlocal ahead
        yield HEADER.encode()
        yield b'2026-11-16T09:00:00Z,question,u0,"never closed,answered\n'
        for number in range(100_000):
            ahead = number
            yield ROWS[0].encode()

    rows = read_csv(lines())
    first = next(rows)

    assert isinstance(first[1], InvalidEvent)
    assert ahead * len(ROWS[0]) <= MAX_ROW_CHARACTERS + 2 * len(ROWS[0])
    assert sum(1 for _ in rows) == 100_000


texts = st.text(alphabet='a"\n,; é', max_size=12)


@given(st.lists(texts, min_size=1, max_size=6), st.data())
@settings(max_examples=300, deadline=None)
def test_no_row_is_lost_without_a_word(values, data):
    """What Python's writer wrote is read as written; with one mark less, each line is accounted for."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["time", "type", "user", "text", "outcome"])
    for number, text in enumerate(values):
        writer.writerow([f"2026-11-16T09:00:0{number}Z", "question", "u1", f"x{text}", "answered"])
    whole = file.getvalue()

    assert read(*io.StringIO(whole, newline="\n")) == ([f"x{text}" for text in values], [])

    marks = [at for at, character in enumerate(whole) if character == '"']
    if marks:
        at = data.draw(st.sampled_from(marks))
        damaged = list(io.StringIO(whole[:at] + whole[at + 1 :], newline="\n"))
        covered = set()
        rows = [*read_csv(line.encode() for line in damaged)]
        numbers = [number for number, _, _ in rows] + [len(damaged) + 1]
        for begins, ends in itertools.pairwise(numbers):
            covered |= set(range(begins, ends))
        missing = set(range(2, len(damaged) + 1)) - covered
        assert all(not damaged[number - 1].strip() for number in missing)


@pytest.mark.parametrize("part", ["x\n", "x" * 79 + "\n"])
def test_a_text_of_any_size_ends_the_reading_soon(part):
    taken = itertools.count()

    def lines():
        yield HEADER.encode()
        yield b'2026-11-16T09:00:00Z,question,u0,"'
        for _ in taken:
            yield part.encode()

    refusals = [row for _, row, _ in read_csv(lines()) if isinstance(row, InvalidEvent)]

    assert "the quoted text that begins on line 2 goes on for too long" in str(refusals[-1])
    assert next(taken) <= MAX_ROW_CHARACTERS
