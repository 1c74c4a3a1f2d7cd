from __future__ import annotations

import pytest

from tuppence.cli.app import COULD_NOT, DONE, USAGE
from tuppence.clock import Deadline
from tuppence.pipeline.dead import record_of
from tuppence.pipeline.intake import Reason, Unusable


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
    assert result.json["loss"]["ignored"] == 4
    assert "ignored\t4 statements" in tuppence("status").stdout


def test_status_of_an_empty_project_is_no_error(tuppence):
    result = tuppence("status")

    assert result.status == DONE
    assert "last event\tnone within a week" in result.stdout


def test_a_dead_letter_whose_reason_still_holds_is_kept(tuppence, send):
    send(b"not a batch")
    tuppence("drain")
    letter = tuppence("dead", "list", "--json").json["dead_letters"][0]["id"]

    result = tuppence("dead", "replay", letter, "--json")

    assert result.status == COULD_NOT
    assert result.json == {"replayed": 0, "kept": 1}
    assert tuppence("dead", "show", letter).status == DONE


def test_a_dead_letter_that_can_be_read_by_now_is_counted_once(tuppence, runtime, clock, batch):
    newer = Unusable(Reason.NEWER_FORMAT, "written by a newer release")
    letter = record_of("shop", batch(), newer, retention=runtime.config.retention, now=clock.now())
    runtime.store.put(letter, deadline=Deadline.after(30, clock))

    replayed = tuppence("dead", "replay", "--all", "--json")
    again = tuppence("dead", "replay", "--all", "--json")
    tuppence("seal")

    assert replayed.json == {"replayed": 1, "kept": 0}
    assert again.json == {"replayed": 0, "kept": 0}
    assert tuppence("status", "--json").json["events"] == 2


@pytest.mark.parametrize("arguments", [[], ["--all", "0123"]])
def test_replay_wants_either_names_or_all(tuppence, arguments):
    assert tuppence("dead", "replay", *arguments).status == USAGE


def test_replaying_what_is_not_there_is_an_error(tuppence):
    assert tuppence("dead", "replay", "0123").status == COULD_NOT
