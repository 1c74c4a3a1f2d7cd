from __future__ import annotations

import json

import pytest

from tuppence.cli.output import Output, count, printable
from tuppence.errors import ConfigError, DriverError, ErrorCode


def driver_error(code):
    return DriverError(code, operation="queue.send", provider="acme", message="no")


def test_text_from_outside_cannot_steer_a_terminal():
    assert printable("a\x1b[2Jb\u202ec\r\n\td\x9b") == "a\\x1b[2Jb\\u202ec\\r\n\td\\x9b"


def test_what_people_write_in_other_scripts_is_left_alone():
    text = "Grüße, שלום, नमस्ते, 👩\u200d🌾"

    assert printable(text) == text


def test_a_piped_table_is_one_line_a_row_with_tabs(capsys):
    Output(json=False).table(("name", "count"), [("a", "1"), ("b\x1b", "2")])

    assert capsys.readouterr().out == "a\t1\nb\\x1b\t2\n"


def test_json_is_the_only_word_on_standard_output(capsys):
    output = Output(json=True)

    output.say("done")
    output.note("by the way")
    output.table(("name",), [("a",)])
    with output.progress("Working", total=1) as advance:
        advance(1)
    output.result({"count": 1})

    printed = capsys.readouterr()
    assert json.loads(printed.out) == {"count": 1}
    assert printed.err == ""


@pytest.mark.parametrize("code", ErrorCode)
def test_every_error_of_a_driver_comes_with_a_next_step(code, capsys):
    Output(json=True).error(driver_error(code))

    error = json.loads(capsys.readouterr().out)["error"]
    assert error["kind"] == code.value
    assert error["message"].startswith("acme queue.send")
    assert error["next"].endswith(".")


def test_only_what_may_pass_by_itself_is_worth_the_same_command_again(capsys):
    for code in ErrorCode:
        Output(json=False).error(driver_error(code))

        assert ("same command again" in capsys.readouterr().err) == code.retryable


def test_an_error_is_two_sentences_on_standard_error(capsys):
    Output(json=False).error(ConfigError("x.toml: timezone: unknown"))

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.splitlines()[0] == "Error: x.toml: timezone: unknown."
    assert printed.err.splitlines()[1].startswith("  `docs/reference/configuration.md`")


def test_a_file_that_cannot_be_read_is_named(capsys):
    Output(json=False).error(PermissionError(13, "Permission denied", "events.json"))

    assert capsys.readouterr().err.startswith("Error: events.json: Permission denied.")


def test_a_number_goes_with_its_noun():
    assert [count(1, "event"), count(3000, "event"), count(2, "person", "people")] == [
        "1 event",
        "3,000 events",
        "2 people",
    ]
