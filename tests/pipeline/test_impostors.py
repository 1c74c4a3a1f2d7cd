"""Someone who may send, and sends under another's name."""

from datetime import timedelta
from itertools import count

from pipeline.forged import START, forged
from pipeline.world import at, captured, outside, question
from tuppence.batch import peek
from tuppence.event import Event, shown_name
from tuppence.pipeline import rollup as rollups
from tuppence.pipeline.loss import ALWAYS_BELIEVED, MOST_FOR_ONE, loss
from tuppence.pipeline.rollup import Seen, followed

GENUINE = [question(n, user=f"u{n % 7}", text="How do I return it?") for n in range(1, 101)]


def noise(nonce=0, *, instance="i1", first=1, amount=100):
    """Return a batch with an instance's name and numbers."""
    columns = {
        "seq": [first] + [1] * (amount - 1),
        "time": [START] + [1] * (amount - 1),
        "type": ["noise"] * amount,
        "id": [],
        "source": [f"{nonce}"] * amount,
    }
    last = first + amount - 1
    return forged(columns, count=amount, instance=instance, first=first, last=last, captured=last)


def sorted_first():
    """Return noise whose id comes before almost all others."""
    return next(body for body in map(noise, count()) if peek(body)[0] < "01")


def test_what_comes_under_a_known_identity_with_other_content_is_left_out_and_counted(world):
    world.take_in(captured(*GENUINE))
    world.clock.advance(timedelta(minutes=1))
    world.take_in(sorted_first())

    day = world.day()
    assert (day.whole.questions, day.whole.events) == (100, 100)
    assert (day.duplicates, day.contradicted) == (100, 100)


def test_what_has_been_counted_stays_where_the_clock_does_not_tell_which_came_first(world):
    world.take_in(captured(*GENUINE))
    world.take_in(sorted_first())

    assert world.day().whole.questions == 100


def test_of_messages_drained_at_once_the_first_that_was_delivered_stays(world):
    world.take_in(captured(*GENUINE), sorted_first())

    assert world.day().whole.questions == 100


def test_the_first_that_was_stored_stays_also_where_all_are_counted_at_once(world):
    world.send(captured(*GENUINE))
    world.drain()
    world.clock.advance(timedelta(minutes=1))
    world.take_in(sorted_first())

    assert world.day().whole.questions == 100
    assert world.day().contradicted == 100


def test_the_same_event_in_another_batch_contradicts_nothing(world):
    world.take_in(captured(*GENUINE[:60]), captured(*GENUINE[40:]))

    assert (world.day().duplicates, world.day().contradicted) == (20, 0)


def test_an_event_from_outside_with_another_s_id_and_time_is_one_that_contradicts(world):
    first, other = (Event(at(1), "signup", id="a", data={"plan": plan}) for plan in ("free", "paid"))
    more = [Event(at(2), "signup", id=name) for name in "bc"]
    world.take_in(outside(first))
    world.clock.advance(timedelta(minutes=1))
    world.take_in(outside(other, more[0]), outside(first, more[1]))

    assert (world.day().whole.events, world.day().duplicates, world.day().contradicted) == (3, 2, 1)


def test_the_id_of_a_question_does_not_tell_its_instance_s_name(world):
    name = "abc.secret"
    world.take_in(captured(*GENUINE[:5], instance=name), noise(instance="abc", amount=5))

    day = world.day()
    assert day.instances.keys() == {"abc", name}
    assert (day.whole.questions, day.whole.events, day.duplicates) == (5, 10, 0)


def test_a_rating_reaches_the_question_of_which_the_shown_part_is_known(world):
    name = "abc.secret"
    rating = Event(at(2), "feedback", seq=9, data={"question": f"{shown_name(name)}-3", "useful": False})
    world.take_in(captured(*GENUINE[:5], rating, instance=name))

    [text] = world.texts().texts.values()
    assert (text.useful_yes, text.useful_no) == (0, 1)


def test_a_rating_is_for_the_question_that_was_stored_first(world):
    world.send(captured(*GENUINE[:5], instance="abc.secret"))
    world.drain()
    world.clock.advance(timedelta(minutes=1))
    rating = Event(at(2), "feedback", seq=9, data={"question": "abc-3", "useful": True})
    world.take_in(captured(question(3, text="Buy pills"), rating, instance="abc"))

    texts = world.texts().texts
    assert (texts["how do i return it"].useful_yes, texts["buy pills"].useful_yes) == (1, 0)


def test_numbers_that_leave_out_every_second_one_are_one_run_once_all_are_there(world):
    numbers = range(1, 2_001)
    odd, even = ([question(n) for n in numbers if n % 2 == rest] for rest in (1, 0))
    world.take_in(captured(*odd), captured(*even))

    assert world.day().instances["i1"].received == [[1, 2_000]]
    assert world.day().whole.events == 2_000


def test_a_record_follows_as_many_instances_and_gaps_as_it_has_room_for(monkeypatch):
    monkeypatch.setattr(rollups, "INSTANCES", 2)
    monkeypatch.setattr(rollups, "RUNS", 4)
    scattered = Seen(received=[[1, 10], [12, 20], [30, 40], [43, 43]], captured=43, hello=True)

    found, others = followed({"a": scattered, "b": Seen(received=[[1, 1]]), "c": Seen(received=[[1, 5]])})

    assert others == 1
    assert found == {
        "a": Seen(received=[[1, 20], [30, 43]], captured=43, hello=True, uncertain=3),
        "c": Seen(received=[[1, 5]]),
    }


def test_what_is_claimed_beyond_belief_is_said_to_be_a_claim():
    most = ALWAYS_BELIEVED + MOST_FOR_ONE
    believed = Seen(received=[[most + 1, most + 1]], captured=most + 1, hello=True, goodbye=True)
    beyond = Seen(received=[[2**40, 2**40]], captured=2**40, refused=2**40, hello=True, goodbye=True)

    found = loss({}, {"good": believed, "evil": beyond}, {})

    assert found.lost == most
    assert found.refused == 0
    assert found.claimed == 2**41 - 1
