"""Whatever was sent, what is made of it is bounded, and can be read again."""

from random import Random

import pytest

from pipeline.forged import START, forged
from pipeline.world import AROUND, PROJECT, captured, question
from tuppence.errors import TuppenceError
from tuppence.pipeline import asked, reader, records, texts
from tuppence.pipeline.names import NAMES, OTHER
from tuppence.pipeline.rollup import DAY_NAMES, Cell, ModelUse, Rollup, merge_cells, merge_day
from tuppence.pipeline.sketch import MOST_COUNTED, Histogram
from tuppence.pipeline.texts import CAUSES, CHARACTERS, Texts

LARGEST = 2**40
NOISE = Random(1).randbytes(4_000).hex()


def questions(data, *, count=4_096, instance="evil", first=1):
    """Return a batch of questions, given what each column of their data holds."""
    numbers = {"instance": instance, "first": first, "last": first + count - 1, "captured": first + count - 1}
    columns = {
        "seq": [first] + [1] * (count - 1),
        "time": [START] + [0] * (count - 1),
        "type": ["question"] * count,
        "id": [],
        "data": data,
    }
    return forged(columns, count=count, **numbers)


def test_tokens_that_no_model_has_spent_end_where_sums_do(world):
    spent = {name: [LARGEST] * 4_096 for name in ("input_tokens", "output_tokens", "latency_ms")}
    world.take_in(*(questions(spent, first=1 + 4_096 * n) for n in range(17)))

    assert world.day().whole.models[""].input_tokens == MOST_COUNTED
    assert world.day().whole.questions == 17 * 4_096


def test_sums_of_sums_end_there_too():
    one = Cell(
        events=MOST_COUNTED,
        types={"question": MOST_COUNTED},
        models={"m": ModelUse(input_tokens=MOST_COUNTED)},
        latency=Histogram({3: MOST_COUNTED}),
    )

    assert merge_cells([one, one]) == one


def test_a_day_has_no_more_names_than_it_may():
    hours = {
        f"20261116{hour:02}": Rollup(
            zone="UTC",
            parts=["a"],
            cells={f"2026-11-16T{hour:02}": Cell(types={f"{hour}-{n}": n + 1 for n in range(NAMES)})},
        )
        for hour in range(8)
    }

    types = merge_day(AROUND[0].replace(day=16), "UTC", hours).whole.types

    assert len(types) == DAY_NAMES + 1
    assert types["7-255"] == 256
    assert sum(types.values()) == 8 * sum(range(1, NAMES + 1))
    assert types[OTHER] == max(types.values())


def test_texts_of_thousands_of_characters_are_kept_for_as_long_as_there_is_room(world):
    long = [f"{n} " + "a" * 15_000 for n in range(64)]
    world.take_in(questions({"text": long}, count=64), captured(question(1, text="Open?"), instance="good"))

    found = world.texts()
    assert found.left_out == 64 - (len(found.texts) - 1)
    assert CHARACTERS // 2 < sum(map(len, found.texts)) <= CHARACTERS


def test_more_different_texts_than_anyone_asks_in_an_hour_are_counted_and_not_held(world, monkeypatch):
    monkeypatch.setattr(asked, "HELD", 1_000)
    world.take_in(captured(question(1, text="Open?"), instance="good"))
    world.take_in(questions({"text": [f"{n} " + "a" * 100 for n in range(64)]}, count=64))
    world.take_in(questions({"text": ["Open?", "Shut?"]}, count=2, first=65))

    found = world.texts()
    assert found.texts["open"].count == 2
    assert "shut" not in found.texts
    assert found.left_out + sum(text.count for text in found.texts.values()) == 67
    assert world.day().whole.questions == 67


def test_spellings_of_a_short_question_are_no_longer_than_it_needs(world):
    world.take_in(questions({"text": ["!" * 16_000 + "open"]}, count=1))

    [text] = world.texts().texts.values()
    assert len(text.text) < 300


def test_a_text_has_no_more_causes_than_it_may(world):
    causes = [f"{n}" for n in range(4_096)]
    world.take_in(questions({"text": ["Why?"] * 4_096, "outcome": ["error"] * 4_096, "cause": causes}))

    [text] = world.texts().texts.values()
    assert len(text.causes) == CAUSES + 1
    assert sum(text.causes.values()) == 4_096


def test_of_a_report_s_weeks_no_more_characters_are_held_than_may_be(world, monkeypatch):
    monkeypatch.setattr(reader, "CHARACTERS", 2_000)
    world.take_in(questions({"text": [f"{n} " + "b" * 400 for n in range(30)]}, count=30))

    found = world.texts()
    counts = reader.count_texts(world.store, PROJECT, [world.zone], *AROUND, deadline=world.deadline)
    assert len(found.texts) == 4
    assert found.left_out == 26
    assert counts.keys() == found.texts.keys()


def too_large_rollup():
    return records.pack_rollup(Rollup(zone="UTC", parts=[NOISE]))


def too_large_texts():
    return records.pack_texts(Texts(days={"2026-11-16": {NOISE: texts.Text("a")}}))


@pytest.mark.parametrize("made", [too_large_rollup, too_large_texts])
def test_what_could_not_be_read_again_is_not_written(made, monkeypatch):
    monkeypatch.setattr(records, "MAX_RAW", 1_000)

    with pytest.raises(TuppenceError, match="read again"):
        made()


def test_nor_is_a_count_beyond_all():
    with pytest.raises(TuppenceError, match="read again"):
        records.pack_rollup(Rollup(zone="UTC", parts=[], duplicates=MOST_COUNTED + 1))
