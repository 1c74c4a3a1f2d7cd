"""Merging is exact: order-free, and the same bytes however things were split."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuppence.pipeline.loss import loss
from tuppence.pipeline.rollup import (
    Cell,
    CitationUse,
    ModelUse,
    Rollup,
    RouteUse,
    Seen,
    encode,
    merge_cells,
    merge_seen,
)
from tuppence.pipeline.sketch import EXACT_IDS, HISTOGRAM_ERROR, HLL_ERROR, Histogram, IdSet
from tuppence.pipeline.texts import ALL_ASKERS, ASKERS, Text, merge_texts
from tuppence.runs import merge_runs

hashes = st.integers(0, 2**64 - 1)
counts = st.integers(0, 1_000)
names = st.dictionaries(st.sampled_from("abcd"), st.integers(1, 9))


@st.composite
def histograms(draw):
    histogram = Histogram()
    for value in draw(st.lists(st.integers(0, 2**40), max_size=9)):
        histogram.add(value)
    return histogram


idsets = st.lists(hashes, max_size=9).map(IdSet.of)
models = st.dictionaries(st.sampled_from("mn"), st.builds(ModelUse, counts, counts, counts))
routes = st.dictionaries(st.sampled_from("mn"), st.builds(RouteUse, counts, counts, histograms(), counts))
scores = st.dictionaries(st.integers(0, 100), st.integers(1, 9))
citations = st.dictionaries(st.sampled_from("mn"), st.builds(CitationUse, counts, counts, counts, counts))
cells = st.builds(
    Cell,
    *(counts, names, counts, names, names, counts, counts, idsets, idsets, histograms(), models, names),
    *(routes, scores, citations),
)
spans = st.tuples(st.integers(1, 60), st.integers(0, 9)).map(lambda run: [run[0], run[0] + run[1]])
seens = st.builds(
    Seen, st.lists(spans, max_size=5).map(merge_runs), counts, counts, counts, st.booleans(), st.booleans()
)
texts = st.builds(
    Text,
    st.text(max_size=5),
    counts,
    names,
    names,
    st.lists(hashes, max_size=ALL_ASKERS, unique=True).map(sorted),
    st.just(False),  # noqa: FBT003 - `sampled`
    counts,
    counts,
)


def as_bytes(cell, seen):
    return encode(Rollup(zone="UTC", parts=[], cells={"c": cell}, instances={"i": seen}))


@given(st.lists(st.tuples(cells, seens), min_size=1, max_size=5), st.randoms(), st.integers(0, 5))
def test_cells_and_instances_merge_to_the_same_bytes_in_any_order_and_grouping(parts, chance, cut):
    whole = as_bytes(merge_cells(cell for cell, _ in parts), merge_seen(seen for _, seen in parts))

    chance.shuffle(parts)
    groups = [group for group in (parts[:cut], parts[cut:]) if group]
    halves = [(merge_cells(c for c, _ in group), merge_seen(s for _, s in group)) for group in groups]

    assert as_bytes(merge_cells(c for c, _ in halves), merge_seen(s for _, s in halves)) == whole


@given(st.lists(texts, min_size=1, max_size=4), st.randoms(), st.integers(1, 4))
def test_texts_merge_in_any_order_and_grouping(parts, chance, cut):
    whole = merge_texts(parts)

    chance.shuffle(parts)
    halves = [merge_texts(group) for group in (parts[:cut], parts[cut:]) if group]

    assert merge_texts(halves) == whole


@given(st.lists(hashes))
def test_a_small_set_of_ids_is_exact(ids):
    assert IdSet.of(ids).count() == len(set(ids))
    assert IdSet.of(ids).members() == set(ids)


@pytest.mark.parametrize("size", [EXACT_IDS + 1, 40_000, 60_000, 200_000])
def test_a_large_set_of_ids_is_within_its_stated_error(size):
    chance = Random(size)
    estimates = [IdSet.of(chance.getrandbits(64) for _ in range(size)).count() for _ in range(4)]

    assert abs(sum(estimates) / 4 - size) < 3 * HLL_ERROR / 4**0.5 * size


def test_a_large_set_of_ids_is_the_same_however_it_was_split():
    chance = Random(7)
    ids = [chance.getrandbits(64) for _ in range(3 * EXACT_IDS)]

    whole = IdSet.of(ids)
    merged = IdSet.merged([IdSet.of(ids[::2]), IdSet.of(ids[1::3]), IdSet.of(ids[:7]), IdSet.of(ids[1::2])])

    assert not whole.exact
    assert merged == whole


@given(st.lists(st.integers(0, 2**40), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_within_its_stated_error(values, fraction):
    histogram = Histogram()
    for value in values:
        histogram.add(value)

    rank = max(1, -int(-fraction * len(values) // 1))
    true = sorted(values)[rank - 1]

    assert abs(histogram.percentile(fraction) - true) <= HISTOGRAM_ERROR * true


def seen(*runs, **told):
    return Seen(received=[list(run) for run in runs], **told)


def test_a_gap_is_lost_in_the_period_of_the_number_above_it():
    before, period, after = seen((1, 10)), seen((13, 20), (22, 22)), seen((30, 31))

    assert loss({"i": before}, {"i": period}, {"i": after}).lost == 3
    assert loss({"i": period}, {"i": after}, {}).lost == 7


def test_a_gap_that_is_filled_later_was_no_loss():
    assert loss({"i": seen((1, 10))}, {"i": seen((13, 20))}, {"i": seen((11, 12))}).lost == 0


def test_numbers_that_the_instance_dropped_are_not_lost():
    found = loss({"i": seen((1, 10), dropped=4)}, {"i": seen((16, 20), dropped=7)}, {})

    assert (found.lost, found.dropped) == (2, 3)


def test_numbers_missing_at_the_start_count_when_the_start_is_known():
    assert loss({}, {"i": seen((4, 9), hello=True)}, {}).lost == 3
    assert loss({}, {"i": seen((4, 9))}, {}).lost == 0


def test_numbers_missing_at_the_end_count_when_the_instance_said_goodbye():
    assert loss({}, {"i": seen((1, 9), captured=12, goodbye=True)}, {}).lost == 3
    assert loss({}, {"i": seen((1, 9), captured=12)}, {}).lost == 0


def test_numbers_that_were_set_aside_are_lost_and_explained():
    closing = seen(captured=20, set_aside=20, hello=True, goodbye=True)

    found = loss({}, {"i": closing}, {})

    assert (found.lost, found.set_aside) == (20, 20)


def test_numbers_that_were_set_aside_and_sent_after_all_are_neither_lost_nor_counted_twice():
    closing = seen(captured=20, set_aside=20, hello=True, goodbye=True)

    partly = loss({}, {"i": closing}, {"i": seen((1, 8), hello=True)})
    wholly = loss({}, {"i": closing}, {"i": seen((1, 20), hello=True)})

    assert (partly.lost, partly.set_aside) == (12, 12)
    assert (wholly.lost, wholly.set_aside) == (0, 0)


def test_what_was_set_aside_earlier_explains_no_later_gap():
    found = loss({"i": seen((1, 10), set_aside=5)}, {"i": seen((14, 20), set_aside=6)}, {})

    assert (found.lost, found.set_aside) == (3, 1)


def test_refusals_count_in_the_period_in_which_they_were_told():
    assert loss({"i": seen((1, 1), refused=4)}, {"i": seen((2, 2), refused=9)}, {}).refused == 5


def test_statements_that_were_ignored_count_in_the_period_in_which_that_was_told():
    found = loss(
        {"i": seen((1, 1), ignored=4)}, {"i": seen((2, 2), ignored=9), "j": seen((1, 1), ignored=1)}, {}
    )

    assert (found.ignored, found.lost, found.refused) == (6, 0, 0)


def test_an_instance_that_goes_without_goodbye_is_silent():
    period = {
        "gone": seen((1, 2), hello=True),
        "ended": seen((1, 2), hello=True, goodbye=True),
        "alive": seen((1, 2), hello=True),
        "unknown": seen((5, 6)),
    }

    assert loss({}, period, {"alive": seen((3, 3))}).silent == ["gone"]


def test_all_askers_of_several_hours_are_kept_until_they_are_too_many():
    hours = [Text("?", askers=list(range(30 * hour, 30 * hour + 30))) for hour in range(5)]

    few, many = merge_texts(hours[:4]), merge_texts(hours)

    assert (few.askers, few.sampled) == (list(range(120)), False)
    assert (many.askers, many.sampled) == (list(range(ASKERS)), True)
