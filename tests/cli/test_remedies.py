"""`doctor` never sends people to itself."""

import pytest

from tuppence.cli.output import next_step, remedy
from tuppence.errors import ConfigError, DriverError, ErrorCode, PluginError, TuppenceError


def error(code):
    return DriverError(code, operation="store.check", provider="gcp", message="made up")


@pytest.mark.parametrize(
    "problem", [*map(error, ErrorCode), TuppenceError("x"), PluginError("x"), OSError("x"), ValueError("x")]
)
def test_a_remedy_is_a_sentence_that_names_another_step_than_doctor(problem):
    assert remedy(problem).endswith(".")
    assert "tuppence doctor" not in remedy(problem)


def test_other_commands_name_doctor_where_it_helps():
    assert "tuppence doctor" in next_step(error(ErrorCode.FORBIDDEN))
    assert "tuppence doctor" not in next_step(error(ErrorCode.CONFLICT))
    assert "tuppence doctor" in next_step(ConfigError("x"))
