"""What an application says wrongly: recorded where it can be, otherwise counted and warned of once."""

import asyncio
import decimal
import enum
import logging

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuppence.capture import places
from tuppence.capture.client import Client
from tuppence.capture.misuse import MAX_CHECKED_NAMES, MAX_WARNINGS, Misuse, MisuseWarnings
from tuppence.capture.places import Lock
from tuppence.capture.spelling import near_miss
from tuppence.capture.state import STATE_FILE, VERSION


class Model(enum.Enum):
    LLAMA = "llama"


class Stranger:
    def __str__(self, *_):
        raise RuntimeError

    __bool__ = __len__ = __iter__ = __hash__ = __index__ = __float__ = __repr__ = __eq__ = __str__


@pytest.fixture
def answer(client, sent):
    """Return a function that states an answer and returns the data of its question."""

    def answering(**said):
        with client.question("?") as question:
            question.answered(**said)
        assert client.flush()
        return sent()[1][-1].data

    return answering


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


WRONG = [
    ("score", 2),
    ("score", -0.1),
    ("score", "high"),
    ("score", float("nan")),
    ("score", True),
    ("input_tokens", -5),
    ("input_tokens", "210"),
    ("output_tokens", 2**200),
    ("output_tokens", float("inf")),
    ("latency_ms", -1),
    ("model", 7),
    ("model", Stranger()),
    ("sources", 7),
    ("sources", {"a": 1}),
    ("sources", [Stranger()]),
    ("useful", "yes"),
    ("useful", -1),
    ("cause", Stranger()),
    ("outcome", "no_match"),
    ("text", "Yes, we do."),
]


@pytest.mark.parametrize(("key", "value"), WRONG, ids=lambda one: type(one).__name__)
def test_a_wrong_value_is_left_out_counted_and_warned_of_once(client, sent, answer, caplog, key, value):
    before = dict.fromkeys(("text", "outcome", "plan"))

    for _ in range(3):
        data = answer(**{key: value, "plan": "free"})

    assert {name: data[name] for name in before} == {"text": "?", "outcome": "answered", "plan": "free"}
    if key not in before:
        assert key not in data or key == "latency_ms"
    assert client.stats.ignored == 3
    client.capture("next")  # a batch that was packed while the third was being counted says two
    assert client.flush()
    assert sent()[0][-1].ignored == 3
    [warning] = warnings(caplog)
    assert f"`{key}`" in warning


RIGHT = [
    ("score", 1, 1),
    ("score", decimal.Decimal("0.25"), 0.25),
    ("input_tokens", 210.0, 210.0),
    ("output_tokens", 0, 0),
    ("latency_ms", 12.5, 12.5),
    ("model", Model.LLAMA, "llama"),
    ("sources", "faq#7", ["faq#7"]),
    ("sources", ("a", 7), ["a", "7"]),
    ("sources", ["x"] * 70, ["x"] * 64),
    ("useful", 1, True),
]


@pytest.mark.parametrize(("key", "value", "recorded"), RIGHT, ids=lambda one: type(one).__name__)
def test_what_is_clear_is_recorded(client, answer, caplog, key, value, recorded):
    data = answer(**{key: value})

    assert (type(data[key]), data[key]) == (type(recorded), recorded)
    assert client.stats.ignored == 0
    assert not warnings(caplog)


def test_of_sources_those_that_have_a_name_are_kept(client, answer):
    assert answer(sources=["a", Stranger(), "b"])["sources"] == ["a", "b"]
    assert client.stats.ignored == 1


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ("no source", "no source"),
        (KeyError("secret"), "KeyError"),
        (TimeoutError, "TimeoutError"),
        (503, "503"),
        ("", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("by_name", [True, False])
def test_a_cause_is_taken_by_place_or_by_name(client, sent, given, cause, by_name):
    with client.question("?") as question:
        if by_name:
            question.no_match(cause=given, model="m")
        else:
            question.no_match(given, model="m")
    client.flush()

    data = sent()[1][0].data
    assert (data["outcome"], data.get("cause"), data["model"]) == ("no_match", cause, "m")
    assert client.stats.ignored == 0


def test_several_statements_add_up_and_the_last_outcome_counts(client, sent):
    with client.question("?", plan="free") as question:
        question.answered(model="m", score=0.1)
        question.error("upstream")
        question.no_match(score=0.2)
    client.flush()

    data = sent()[1][0].data
    assert (data["outcome"], data.get("cause")) == ("no_match", None)
    assert (data["model"], data["score"], data["plan"]) == ("m", 0.2, "free")


def test_a_wrong_value_of_the_question_itself_is_left_out(client, sent, caplog):
    with client.question("?", model=7, outcome="answered", plan="free"):
        pass
    client.flush()

    data = sent()[1][0].data
    assert (data["outcome"], data["plan"], "model" in data) == ("answered", "free", False)
    assert client.stats.ignored == 2
    assert len(warnings(caplog)) == 2


@pytest.mark.parametrize("useful", ["yes", None, 5, -1, Stranger()])
def test_feedback_that_does_not_say_whether_it_was_useful_stands_without_it(client, sent, useful):
    assert client.feedback("i-1", useful=useful, note="thanks") == 1
    client.flush()

    assert sent()[1][0].data == {"question": "i-1", "note": "thanks"}
    assert client.stats.ignored == 1


@pytest.mark.parametrize("question", ["", None, Stranger(), 1.5])
def test_feedback_on_no_question_stands_without_it(client, sent, caplog, question):
    assert client.feedback(question, useful=True, note="thanks") == 1
    client.flush()

    assert sent()[1][0].data == {"useful": True, "note": "thanks"}
    assert client.stats.ignored >= 1
    assert any("`question`" in warning for warning in warnings(caplog))


def test_feedback_takes_the_question_itself_for_its_id(client, sent):
    with client.question("?") as question:
        pass
    client.feedback(question, useful=0, source="web")
    client.flush()

    event = sent()[1][-1]
    assert (event.source, event.data) == ("web", {"question": question.id, "useful": False})
    assert client.stats.ignored == 0


@pytest.fixture
def late(client):
    """A question whose block has ended, with something stated afterwards."""
    with client.question("?") as question:
        question.answered(model="m", score=0.5)
    question.no_match("stale", score=0.1)
    return question


def test_an_outcome_stated_after_the_block_amends_the_question_and_is_warned_of(client, sent, late, caplog):
    late.answered(output_tokens=7)
    late.answered()
    client.flush()

    [event] = sent()[1]
    told = {name: event.data.get(name) for name in ("outcome", "cause", "model", "score", "output_tokens")}
    assert told == {"outcome": "answered", "cause": None, "model": "m", "score": 0.1, "output_tokens": 7}
    assert client.stats.ignored == 0
    assert client.stats.captured == 1
    said = [record.getMessage() for record in caplog.get_records("setup")]
    assert [sentence for sentence in said if "no_match() was called after the block" in sentence]
    assert not warnings(caplog)  # once for the kind


def test_an_outcome_stated_after_the_question_was_sent_is_counted(client, sent, late):
    client.flush()
    late.error("too late")
    client.capture("tick")
    client.flush()

    headers, events = sent()
    assert [event.data.get("outcome") for event in events] == ["no_match", None]
    assert [header.ignored for header in headers] == [0, 1]


def test_an_outcome_stated_after_the_end_of_the_client_is_counted(client, late):
    client.close()
    late.error("too late")

    assert client.stats.ignored == 1
    assert client.stats.failed == 0


def test_an_answer_after_an_error_that_left_the_block_does_not_hide_it(client, sent):
    question = client.question("?")
    with pytest.raises(KeyError), question:
        raise KeyError
    question.answered(model="m")
    client.flush()

    data = sent()[1][0].data
    assert (data["outcome"], data["cause"], data["model"]) == ("error", "KeyError", "m")


def test_what_a_stream_states_after_its_handler_has_returned_is_recorded(client, sent):
    def handler():
        with client.question("?") as question:

            def stream():
                yield "Yes"
                question.answered(model="m", output_tokens=2)

            return stream()

    assert list(handler()) == ["Yes"]
    client.flush()

    data = sent()[1][0].data
    assert (data["outcome"], data["model"], data["output_tokens"]) == ("answered", "m", 2)


def test_an_outcome_stated_before_the_block_counts_and_is_warned_of(client, sent, caplog):
    question = client.question("?")
    question.refused("rule", score=0.5)
    with question:
        pass
    client.flush()

    data = sent()[1][0].data
    assert (data["outcome"], data["cause"], data["score"]) == ("refused", "rule", 0.5)
    assert client.stats.ignored == 0
    assert "before the block" in warnings(caplog)[0]


def test_a_question_entered_again_inside_its_block_is_one_question(client, sent, caplog):
    with client.question("?") as question, question:
        question.no_match()
    client.flush()

    assert [event.data["outcome"] for event in sent()[1]] == ["no_match"]
    assert client.stats.ignored == 1
    assert "make a question for each block" in warnings(caplog)[0]


def test_a_question_entered_again_after_its_block_is_another_one(client, sent):
    question = client.question("?")
    with question:
        question.no_match("a", model="m")
    with question:
        pass
    client.flush()

    first, second = (event.data for event in sent()[1])
    assert (first["outcome"], second["outcome"]) == ("no_match", "answered")
    assert "model" not in second


def test_what_is_captured_after_the_end_is_counted_and_warned_of_once(client, caplog):
    client.capture("tick")
    client.close()

    assert client.capture("tick") == client.capture("tick") == 0
    assert client.stats.ignored == 2
    [warning] = warnings(caplog)
    assert "after close()" in warning


def test_a_call_that_gives_no_event_is_warned_of_once(client, caplog):
    client.capture("")
    client.capture("x" * 201)

    assert client.stats.refused == 2
    [warning] = warnings(caplog)
    assert "counted as refused" in warning


def test_a_disabled_client_says_nothing(config, monkeypatch, caplog):
    monkeypatch.setenv("TUPPENCE_DISABLED", "1")
    client = Client(config)

    with client.question("?", model=7) as question:
        question.answered(score=2)
    question.answered()
    client.feedback("", useful="yes")
    client.capture()

    assert client.stats.ignored == 0
    assert not warnings(caplog)


def test_a_misspelt_keyword_is_kept_and_warned_of_once(client, sent, answer, caplog):
    for _ in range(2):
        assert answer(modle="m")["modle"] == "m"
    client.capture("signup", sesion="s1")

    assert client.stats.ignored == 0
    first, second = warnings(caplog)
    assert "`modle`" in first
    assert "`model`" in first
    assert "`session`" in second


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("modle", "model"),
        ("Model", "model"),
        ("inputTokens", "input_tokens"),
        ("input_token", "input_tokens"),
        ("outputtokens", "output_tokens"),
        ("latency_msec", None),
        ("latencyms", "latency_ms"),
        ("scroe", "score"),
        ("usefull", "useful"),
        ("cuase", "cause"),
        ("sesssion", "session"),
        ("usr", None),
        ("model", None),
        ("mode", None),
        ("models", None),
        ("sources", None),
        ("course", None),
        ("sure", None),
        ("scope", None),
        ("cores", None),
        ("sessions", None),
        ("plan", None),
        ("", None),
        ("m" * 10_000, None),
    ],
)
def test_only_names_that_are_probably_slips_are_taken_for_such(name, meant):
    assert near_miss(name) == meant


def test_names_that_are_made_up_as_they_come_are_not_looked_at_for_ever(caplog):
    warned = MisuseWarnings()
    warned.check_names([f"key{number}" for number in range(MAX_CHECKED_NAMES)])
    warned.check_names(["modle"])

    assert not caplog.records


def test_warnings_are_bounded_and_survive_a_handler_that_fails(caplog, monkeypatch):
    warned = MisuseWarnings()
    for number in range(2 * MAX_WARNINGS):
        warned.warn(Misuse(f"{number}", "sentence"))
    assert len(caplog.records) == MAX_WARNINGS

    def fail(*_):
        raise RuntimeError

    monkeypatch.setattr(logging.getLogger("tuppence"), "handle", fail)
    MisuseWarnings().warn(Misuse("kind", "sentence"))


def test_no_text_of_a_user_is_written_into_the_log(client, caplog):
    secret = "jane.doe@example.com"
    with client.question(secret, model=[secret]) as question:
        question.no_match({secret: secret}, score=secret, sources={secret: 1}, **{secret: secret})
    client.feedback([secret], useful=secret)
    client.capture(secret * 20, user=secret)
    question.answered(model=secret)

    assert len(warnings(caplog)) >= 6
    assert secret not in caplog.text


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=5),
    st.decimals(),
    st.lists(st.one_of(st.text(max_size=5), st.integers()), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
    st.builds(Stranger),
    st.just(Model.LLAMA),
    st.just(ValueError),
    st.builds(TimeoutError),
)
KEYWORDS = st.sampled_from(
    [
        *(
            "self",
            "type",
            "text",
            "question",
            "useful",
            "user",
            "session",
            "source",
            "timeout",
            "cause",
            "data",
        ),
        *(
            "model",
            "input_tokens",
            "output_tokens",
            "score",
            "sources",
            "latency_ms",
            "outcome",
            "surplus",
            "x",
        ),
    ]
)
ARGUMENTS = st.tuples(
    st.lists(VALUES, max_size=3),
    st.dictionaries(st.one_of(KEYWORDS, st.text(max_size=8)), VALUES, max_size=4),
)
WAYS = ("answered", "no_match", "refused", "error", "timeout", "rate_limited", "invalid", "aborted")


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=ARGUMENTS, way=st.sampled_from(WAYS), said=ARGUMENTS, again=ARGUMENTS)
def test_no_method_raises_whatever_it_is_called_with(client, asked, way, said, again):
    question = client.question(*asked[0], **asked[1])
    with question:
        assert getattr(question, way)(*said[0], **said[1]) is None
    assert getattr(question, way)(*again[0], **again[1]) is None
    assert type(client.capture(*said[0], **said[1])) is int
    assert type(client.feedback(*again[0], **again[1])) is int


@settings(deadline=None, max_examples=50)
@given(said=ARGUMENTS)
def test_what_is_stated_wrongly_changes_no_outcome(tmp_path_factory, said):
    """The one thing that every call of a method says, whatever else it says, is its own name."""
    from tuppence import config as configuration

    folder = tmp_path_factory.mktemp("said")
    loaded = configuration.load(
        folder=folder, environ={}, provider="local", capture={"directory": str(folder)}
    )
    with Client(loaded) as client:
        question = client.question("?")
        ends = []
        client.close_question = lambda instance, seq, end: ends.append(end)
        with question:
            question.no_match(*said[0], **said[1])

    assert ends[0]["outcome"] == "no_match"
    assert "text" not in ends[0]


def test_what_fails_within_flush_does_not_fail_in_the_application(client, config, tmp_path, caplog):
    """A state that a newer release has written cannot be read by this one."""
    folder = places.directory(config)
    places.prepared(folder)
    sender = Lock.take(folder / places.SENDER_LOCK)  # another process sends
    client.capture("tick")
    [instance] = places.instances(folder)
    (instance / STATE_FILE).write_bytes(msgspec.msgpack.encode({"version": VERSION + 1}))

    told = [client.flush(0), client.flush(0), asyncio.run(client.aflush(0)), client.close(0)]

    sender.release()
    assert told == [False] * 4
    assert len([warning for warning in warnings(caplog) if "flush() failed" in warning]) == 1


def test_where_no_thread_can_be_had_aflush_returns_false(client, monkeypatch):
    async def main():
        await asyncio.get_running_loop().shutdown_default_executor()
        return await client.aflush(0)

    client.capture("tick")

    assert asyncio.run(main()) is False


@pytest.mark.parametrize("arguments", [("soon",), (float("nan"),), (None,), (-1,), (10**400,), (1, 2)])
def test_a_timeout_that_is_none_is_taken_for_the_usual_one(client, arguments):
    client.capture("tick")

    assert type(client.flush(*arguments, timeout=0)) is bool
    assert client.close(*arguments) in {True, False}


def test_arguments_that_do_not_fit_are_counted_by_their_method(client, caplog):
    client.capture("tick", "stray")
    client.question()
    with client.question("?", "stray") as question:
        question.no_match("a", "b", cause="c")
        question.answered("m")
    client.flush(1, 2, sooner=True)

    assert client.stats.ignored == 6
    said = " ".join(warnings(caplog))
    assert all(
        f"{name}() was called" in said for name in ("capture", "question", "question.no_match", "flush")
    )
