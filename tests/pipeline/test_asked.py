"""What is kept of the texts of an hour, and of what people said of the answers."""

from pipeline.world import AROUND, PROJECT, at, captured, outside, question
from tuppence.event import Event
from tuppence.pipeline import reader
from tuppence.pipeline.texts import ASKERS, TEXTS


def event(kind, seq, minutes=0.0, *, user=None, session=None, source=None, **data):
    return Event(time=at(minutes), type=kind, seq=seq, user=user, session=session, source=source, data=data)


def feedback(seq, about, *, useful, minutes=1.0):
    return event("feedback", seq, minutes, question=about, useful=useful)


def cell(world):
    """Return all that was counted on the day."""
    return world.day().whole


def test_questions_that_differ_in_case_and_punctuation_are_one_text(world):
    world.take_in(
        captured(
            question(1, text="Where is my parcel?", user="ann"),
            question(2, text="where is MY parcel", user="bob", outcome="no_match", cause="stock"),
            question(3, text="WHERE IS MY PARCEL!!", user="ann"),
            question(4, text="  "),
            question(5, text="Grüße?"),
            question(6, text="GRÜSSE"),
        )
    )

    texts = world.texts().texts
    assert set(texts) == {"where is my parcel", "grüsse"}
    parcel = texts["where is my parcel"]
    assert (parcel.text, parcel.count, len(parcel.askers)) == ("WHERE IS MY PARCEL!!", 3, 2)
    assert (parcel.outcomes, parcel.causes) == ({"answered": 2, "no_match": 1}, {"no_match/stock": 1})


def test_the_most_asked_texts_stay_and_the_rest_is_counted(world):
    often = [question(seq, text="often") for seq in range(1, 4)]
    once = [question(seq, text=f"once {seq}") for seq in range(4, TEXTS + 13)]

    world.take_in(captured(*often, *once))

    asked = world.texts()
    assert asked.texts["often"].count == 3
    assert len(asked.texts) == TEXTS
    assert asked.left_out == len(once) - (TEXTS - 1)


def test_what_is_counted_of_texts_alone_is_what_is_read_of_them(world, monkeypatch):
    monkeypatch.setattr(reader, "DISTINCT", 5)
    hours = [
        [question(seq, 60 * hour, text=f"text {seq * hour % 9}") for seq in range(1, 20)] for hour in range(4)
    ]
    world.take_in(*(captured(*events, instance=f"i{hour}") for hour, events in enumerate(hours)))

    read = world.texts()
    counted = reader.count_texts(world.store, PROJECT, [world.zone], *AROUND, deadline=world.deadline)

    assert counted == {key: text.count for key, text in read.texts.items()}
    assert (len(counted), sum(counted.values()) + read.left_out) == (5, 4 * 19)


def test_few_askers_are_kept_of_a_text_that_many_ask(world):
    world.take_in(captured(*(question(seq, user=f"user {seq}") for seq in range(1, 1_000))))

    [text] = world.texts().texts.values()
    assert text.count == 999
    assert text.askers == sorted(text.askers)
    assert len(text.askers) == ASKERS
    assert text.sampled


def test_feedback_counts_and_is_credited_to_the_text_of_its_question(world):
    world.take_in(
        captured(question(7, text="Open today?"), instance="abc"),
        captured(feedback(1, "abc-7", useful=True), instance="other"),
    )

    assert (cell(world).useful_yes, cell(world).useful_no) == (1, 0)
    [text] = world.texts().texts.values()
    assert (text.useful_yes, text.useful_no) == (1, 0)


def test_feedback_to_a_question_of_another_hour_counts_without_its_text(world):
    world.take_in(
        captured(question(7, text="Open today?"), instance="abc"),
        captured(feedback(1, "abc-7", useful=False, minutes=70), instance="other"),
    )

    assert cell(world).useful_no == 1
    [text] = world.texts().texts.values()
    assert (text.useful_yes, text.useful_no) == (0, 0)


def test_of_several_judgements_of_one_question_the_latest_counts(world):
    world.take_in(
        captured(question(1, useful=True), instance="abc"),
        captured(feedback(1, "abc-1", useful=True, minutes=3), instance="x"),
        captured(feedback(1, "abc-1", useful=False, minutes=2), instance="y"),
        captured(feedback(5, "abc-1", useful=False, minutes=3), instance="x"),
    )

    assert (cell(world).useful_yes, cell(world).useful_no) == (0, 1)


def test_a_question_from_outside_is_judged_by_its_id(world):
    world.take_in(
        outside(question(name="q1", useful=False)),
        outside(Event(time=at(1), type="feedback", id="f1", data={"question": "q1", "useful": True})),
    )

    assert (cell(world).useful_yes, cell(world).useful_no) == (1, 0)
