"""What is legal is taken, though other programs write it in other ways."""

import json

import pytest

from tuppence.errors import InvalidEvent
from tuppence.event import decode_json, parse_event

AT = "2026-11-16T09:00:00Z"


def question(**data):
    return parse_event(json.dumps({"type": "question", "time": AT, "data": data}))


def test_a_whole_number_may_be_written_as_a_real_one():
    event = question(input_tokens=210.0)

    assert event.data["input_tokens"] == 210
    assert type(event.data["input_tokens"]) is int
    with pytest.raises(InvalidEvent, match="input_tokens"):
        question(input_tokens=210.5)


@pytest.mark.parametrize(
    ("said", "meant"), [("True", True), ("no", False), (1, True), (0.0, False), ("1.0", True)]
)
def test_what_stands_for_yes_or_no_is_taken_so(said, meant):
    assert question(useful=said).data["useful"] is meant
    feedback = {"type": "feedback", "time": AT, "data": {"question": "x-1", "useful": said}}
    assert parse_event(feedback).data["useful"] is meant


@pytest.mark.parametrize("said", ["perhaps", 2, 0.5, []])
def test_what_stands_for_neither_is_refused(said):
    with pytest.raises(InvalidEvent, match="useful"):
        question(useful=said)


def test_times_may_be_written_in_small_letters():
    assert parse_event({"type": "x", "time": AT.lower()}).time == parse_event({"type": "x", "time": AT}).time


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (r'"Thanks \ud83d"', "Thanks \ufffd"),
        (r'"\ude00!"', "\ufffd!"),
        (r'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (r'"\ud83d\ude00"', "\U0001f600"),
        (r'"\\ud83d"', r"\ud83d"),
    ],
)
def test_half_of_a_surrogate_pair_becomes_a_replacement(text, read):
    assert decode_json(text.encode()) == read
    assert decode_json(text) == read


@pytest.mark.parametrize("text", [rb'["\ud83d"', rb'["\ud83d", NaN]', rb"\ud83d", b'"\xff\\ud83d"'])
def test_nothing_else_that_is_wrong_is_taken_with_it(text):
    with pytest.raises(InvalidEvent, match=r"not valid JSON|not UTF-8"):
        decode_json(text)


CLOUD_EVENT = {
    "specversion": "1.0",
    "id": "A234",
    "source": "/bot",
    "type": "question",
    "time": AT,
    "datacontenttype": "application/json",
    "dataschema": "https://example.com/schema",
    "subject": "web",
    "traceparent": "00-4bf9",
    "data": {"text": "Do you deliver?", "subject": "mine"},
}


def test_a_cloud_event_is_taken_with_its_subject_and_extensions():
    event = parse_event(CLOUD_EVENT)

    assert (event.id, event.source, event.type) == ("A234", "/bot", "question")
    assert event.data == {"text": "Do you deliver?", "subject": "mine", "traceparent": "00-4bf9"}


@pytest.mark.parametrize("extra", [{"My Key": 1}, {"data_base64": "aGk="}, {"ext_name": 1}])
def test_what_no_cloud_event_may_have_is_refused(extra):
    with pytest.raises(InvalidEvent, match=next(iter(extra))):
        parse_event(CLOUD_EVENT | extra)


def test_other_events_have_no_keys_beside_their_own():
    with pytest.raises(InvalidEvent, match="unknown key 'subject'"):
        parse_event({"type": "x", "time": AT, "subject": "web"})
