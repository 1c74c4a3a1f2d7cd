from __future__ import annotations

from tuppence.cli.app import COULD_NOT, DONE


def test_what_waits_is_drained_and_sealed_once(tuppence, send, batch):
    send(batch())

    drained = tuppence("drain", "--json")
    sealed = tuppence("seal", "--json")
    again = tuppence("seal", "--json")

    assert drained.json["drained"] == {"messages": 1, "segments": 1, "dead": 0}
    assert (sealed.json["sealed"]["hours"], sealed.json["sealed"]["days"]) == (1, 1)
    assert again.json["sealed"]["hours"] == 0


def test_each_step_says_in_words_what_it_did(tuppence, send, batch):
    send(batch())

    assert "1 message drained: 1 segment, 0 dead letters." in tuppence("drain").stdout
    assert "1 hour and 1 day sealed" in tuppence("seal").stdout
    assert "0 expired records deleted." in tuppence("purge").stdout


def test_a_message_that_is_no_batch_can_be_listed_and_shown_without_steering_the_terminal(tuppence, send):
    send(b"\x1b[2Jnot a batch")
    tuppence("drain")

    listed = tuppence("dead", "list", "--json").json["dead_letters"]
    shown = tuppence("dead", "show", listed[0]["id"])

    assert [one["reason"] for one in listed] == ["not an event"]
    assert "\\x1b[2Jnot a batch" in shown.stdout
    assert "\x1b" not in shown.stdout


def test_a_batch_among_the_dead_letters_is_shown_by_its_header(tuppence, send, batch):
    send(batch(project="other"))
    tuppence("drain")

    letter = tuppence("dead", "list").stdout.split("\t")[0]
    shown = tuppence("dead", "show", letter, "--json").json

    assert shown["reason"] == "other project"
    assert '"project":"other"' in shown["content"]


def test_a_dead_letter_that_is_not_there_is_an_error_that_says_where_to_look(tuppence):
    result = tuppence("dead", "show", "0123")

    assert result.status == COULD_NOT
    assert "`tuppence dead list`" in result.stderr


def test_status_tells_what_waits_before_a_drain_and_what_is_dead_after_it(tuppence, send, batch):
    send(batch(), b"not a batch")

    before = tuppence("status", "--json").json
    tuppence("drain")
    after = tuppence("status", "--json").json

    assert (before["queue"]["messages"], before["waiting_hours"], before["dead_letters"]) == (2, 0, 0)
    assert (after["queue"]["messages"], after["waiting_hours"], after["dead_letters"]) == (0, 1, 1)


def test_status_tells_the_last_event_and_what_was_lost(tuppence, send, batch):
    send(batch())
    tuppence("drain")
    tuppence("seal")

    result = tuppence("status", "--json")

    assert result.status == DONE
    assert result.json["last_event_by"] == "2026-11-16T10:00:00Z"
    assert (result.json["events"], result.json["loss"]["lost"]) == (2, 1)


def test_status_of_an_empty_project_is_no_error(tuppence):
    result = tuppence("status")

    assert result.status == DONE
    assert "last event\tnone within a week" in result.stdout
