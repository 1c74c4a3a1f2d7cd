"""Sets of whole numbers as runs."""

from hypothesis import given
from hypothesis import strategies as st

from tuppence.runs import holds, merge_runs, runs_of


@given(st.lists(st.integers(0, 30)))
def test_the_runs_of_numbers_are_those_of_each_by_itself_merged(numbers):
    assert runs_of(numbers) == merge_runs([number, number] for number in numbers)


def test_numbers_in_a_row_are_one_run():
    assert runs_of([5, 3, 4, 9, 3]) == [[3, 5], [9, 9]]


@given(st.sets(st.integers(0, 30)), st.integers(-1, 31))
def test_runs_hold_the_numbers_they_were_made_of(numbers, number):
    assert holds(runs_of(numbers), number) == (number in numbers)
