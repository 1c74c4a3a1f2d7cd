"""A journal in memory, where no file can be kept."""

import pytest

from tuppence.capture import places
from tuppence.capture.client import Client


@pytest.fixture(autouse=True)
def no_files(monkeypatch):
    monkeypatch.setattr(places, "unfit", lambda _: "not in this test")


@pytest.mark.parametrize("flushed", [True, False])
def test_a_client_that_is_closed_in_order_says_goodbye(config, sent, flushed):
    with Client(config) as client:
        client.capture("tick")
        assert not client.stats.durable
        if flushed:
            assert client.flush(30)
        client.capture("tick")
        assert client.close(30)

    headers, events = sent()
    assert [event.seq for event in events] == [1, 2]
    assert [header.hello for header in headers].count(True) == 1
    [goodbye] = [header for header in headers if header.goodbye]
    assert (goodbye.captured, goodbye.dropped) == (2, 0)


def test_a_client_that_captured_nothing_more_since_its_flush_says_goodbye(config, sent):
    with Client(config) as client:
        client.capture("tick")
        assert client.flush(30)

    assert [header.goodbye for header in sent()[0]] == [False, True]


def test_a_question_that_is_open_at_the_end_was_aborted(config, sent):
    with Client(config) as client:
        client.question("Where is my parcel?").__enter__()

    headers, [event] = sent()
    assert event.data["outcome"] == "aborted"
    assert headers[-1].goodbye
