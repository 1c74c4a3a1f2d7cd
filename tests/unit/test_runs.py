"""Sets of whole numbers as runs."""

from hypothesis import given
from hypothesis import strategies as st

from tuppence.runs import NumberSet, fewer_runs, holds, merge_runs, runs_of


@given(st.lists(st.integers(0, 30)))
def test_the_runs_of_numbers_are_those_of_each_by_itself_merged(numbers):
    assert runs_of(numbers) == merge_runs([number, number] for number in numbers)


def test_numbers_in_a_row_are_one_run():
    assert runs_of([5, 3, 4, 9, 3]) == [[3, 5], [9, 9]]


@given(st.sets(st.integers(0, 30)), st.integers(-1, 31))
def test_runs_hold_the_numbers_they_were_made_of(numbers, number):
    assert holds(runs_of(numbers), number) == (number in numbers)


numbers = st.sets(st.integers(0, 600) | st.integers(0, 2**40))


@given(st.lists(numbers))
def test_a_set_holds_what_was_added_and_says_what_was_there(parts):
    grown, there = NumberSet(), set()
    for part in parts:
        assert grown.add(runs_of(part)) == there & part
        there |= part

    assert list(grown.runs()) == runs_of(there)


@given(st.sets(st.integers(0, 60)), st.integers(1, 9))
def test_fewer_runs_close_the_smallest_gaps_and_tell_how_much_that_is(numbers, most):
    runs = runs_of(numbers)

    fewer, closed = fewer_runs(runs, most)

    assert len(fewer) == min(len(runs), most)
    assert merge_runs([*fewer, *runs]) == fewer
    assert closed == sum(last - first + 1 for first, last in fewer) - len(numbers)


def test_the_largest_gaps_stay():
    assert fewer_runs([[1, 1], [3, 3], [9, 9], [11, 12], [20, 20]], 3) == ([[1, 3], [9, 12], [20, 20]], 2)
