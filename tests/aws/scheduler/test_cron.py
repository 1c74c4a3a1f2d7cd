"""Cron lines in AWS's dialect: what they look like, and that they mean the same."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws.dialect import runs
from tuppence.schedule import check_cron, next_due
from tuppence_aws.cron import to_aws

AFTER = datetime(2026, 11, 16, 9, 30, tzinfo=UTC)
WRITTEN = {
    "* * * * *": "cron(* * * * ? *)",
    "*/15 * * * *": "cron(0/15 * * * ? *)",
    "*/45 * * * *": "cron(0,45 * * * ? *)",
    "1-59/2 * * * *": "cron(1/2 * * * ? *)",
    "0 7 * * MON": "cron(0 7 ? * 2 *)",
    "0 7 * * mon-fri": "cron(0 7 ? * 2-6 *)",
    "0 0 * * 5-7": "cron(0 0 ? * 1,6,7 *)",
    "0 0 * * 0,6": "cron(0 0 ? * 1,7 *)",
    "0 0 * * 0-6": "cron(0 0 ? * * *)",
    "0 0 31 * *": "cron(0 0 31 * ? *)",
    "5,35 8-17/3 * JAN-MAR,dec 1-5": "cron(5,35 8,11,14,17 ? 1,2,3,12 2-6 *)",
    "15 9 * */3 *": "cron(15 9 * 1/3 ? *)",
}

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


@pytest.mark.parametrize(("line", "expression"), WRITTEN.items(), ids=WRITTEN)
def test_a_line_is_written_in_forms_that_mean_the_same_everywhere(line, expression):
    assert to_aws(line) == expression


def field(low, high, longest):
    """Return a strategy for a field: a star, or a list of values and ranges, with and without steps.

    A range has at least two values: cronsim takes `3-3/2` for `3/2`, other crons for `3`.
    """
    value = st.integers(low, high)
    step = st.integers(1, longest)
    pairs = st.lists(value, min_size=2, max_size=2, unique=True).map(sorted)
    spans = pairs.map(lambda pair: f"{pair[0]}-{pair[1]}")
    stepped = st.builds("{}/{}".format, spans, step)
    terms = st.lists(st.one_of(value.map(str), spans, stepped), min_size=1, max_size=4).map(",".join)
    return st.one_of(st.just("*"), st.builds("*/{}".format, step), terms)


LINES = st.one_of(
    st.tuples(field(0, 59, 59), field(0, 23, 23), field(1, 28, 27), field(1, 12, 11), st.just("*")),
    st.tuples(field(0, 59, 59), field(0, 23, 23), st.just("*"), field(1, 12, 11), field(0, 7, 6)),
).map(" ".join)


@settings(deadline=None, max_examples=100)
@given(line=LINES)
def test_any_portable_line_runs_when_cron_would(line):
    check_cron(line, "test")
    expected = [AFTER]
    for _ in range(3):
        expected.append(next_due(line, ZoneInfo("UTC"), expected[-1]))

    assert runs(to_aws(line), "UTC", AFTER, 3) == expected[1:]


@pytest.mark.parametrize(
    ("place", "name", "number"),
    [
        *(("0 0 * {} *", name, number) for number, name in enumerate(MONTHS, 1)),
        *(("0 0 * * {}", name, number) for number, name in enumerate(WEEKDAYS)),
    ],
)
def test_a_name_means_its_number(place, name, number):
    expected = to_aws(place.format(number))

    assert to_aws(place.format(name)) == to_aws(place.format(name.lower())) == expected
