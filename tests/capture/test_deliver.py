"""Which error may set a batch aside, and which may not."""

import pytest

from pipeline.world import World
from tuppence.capture.deliver import MAX_PROBES, deliver
from tuppence.drivers import ItemError, Limits, Message
from tuppence.errors import DriverError, ErrorCode

NAMES = [f"m{number}" for number in range(5)]
MESSAGES = [Message(id=name, body=b"body") for name in NAMES]


def error(code):
    return DriverError(code, operation="queue.send", provider="test")


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture
def calls(world, monkeypatch):
    """Let `answer(ids)` raise or return ids that fail alone; return the ids of every call made."""
    made = []
    queue = world.drivers[0]
    send = type(queue).send

    def install(answer):
        def answering(self, messages, /, *, deadline):
            made.append([message.id for message in messages])
            alone = answer([message.id for message in messages]) or {}
            errors = [ItemError(n, alone[one.id]) for n, one in enumerate(messages) if one.id in alone]
            fitting = [one for one in messages if one.id not in alone]
            assert not send(self, fitting, deadline=deadline)
            return errors

        monkeypatch.setattr(type(queue), "send", answering)
        return made

    return install


def refuse_calls_with(bad, code=ErrorCode.INVALID):
    """Answer a call that holds one of `bad` with an error of the whole call."""

    def answer(ids):
        if set(bad) & set(ids):
            raise error(code)

    return answer


@pytest.mark.parametrize("code", ErrorCode)
def test_an_error_of_every_call_sets_nothing_aside(world, calls, code):
    made = calls(refuse_calls_with(NAMES, code))

    result = deliver(world.queue, MESSAGES, deadline=world.deadline.within(1))

    assert not result.rejected
    assert not result.accepted
    assert set(result.failed) == set(NAMES)
    assert {one.code for one in result.failed.values()} <= {code, ErrorCode.TIMEOUT}
    assert sum(len(ids) == 1 for ids in made) <= MAX_PROBES


@pytest.mark.parametrize("code", ErrorCode)
def test_of_errors_about_one_message_only_a_refusal_sets_it_aside(world, calls, code):
    calls(lambda ids: {"m2": error(code)} if "m2" in ids else {})

    result = deliver(world.queue, MESSAGES, deadline=world.deadline.within(1))

    refusal = code in {ErrorCode.INVALID, ErrorCode.TOO_LARGE}
    assert set(result.rejected) == ({"m2"} if refusal else set())
    assert set(result.failed) == (set() if refusal else {"m2"})
    assert result.accepted == set(NAMES) - {"m2"}


@pytest.mark.parametrize("code", [ErrorCode.INVALID, ErrorCode.TOO_LARGE])
@pytest.mark.parametrize("bad", [["m0"], ["m4"], ["m1", "m3"]])
def test_a_message_that_spoils_its_call_is_found_and_the_others_are_sent(world, calls, bad, code):
    calls(refuse_calls_with(bad, code))

    result = deliver(world.queue, MESSAGES, deadline=world.deadline)

    assert set(result.rejected) == set(bad)
    assert result.accepted == set(NAMES) - set(bad)
    assert not result.failed


def test_a_bad_message_in_a_call_of_its_own_is_found_when_other_calls_succeed(world, calls):
    world.drivers[0].limits = Limits(batch_items=1, batch_bytes=100_000, item_bytes=100_000)
    calls(refuse_calls_with(["m2"]))

    result = deliver(world.queue, MESSAGES, deadline=world.deadline)

    assert set(result.rejected) == {"m2"}
    assert result.accepted == set(NAMES) - {"m2"}


def test_a_message_that_is_refused_with_nothing_else_to_send_is_kept(world, calls):
    calls(refuse_calls_with(["m0"]))

    result = deliver(world.queue, MESSAGES[:1], deadline=world.deadline)

    assert set(result.failed) == {"m0"}
    assert not result.rejected


def test_a_setting_that_is_mended_between_two_tries_costs_no_message(world, calls):
    made = []

    def answer(ids):
        made.append(ids)
        if len(made) < 3:  # the call of all, and the first one alone
            raise error(ErrorCode.INVALID)

    calls(answer)

    result = deliver(world.queue, MESSAGES, deadline=world.deadline)

    assert result.accepted == set(NAMES)


def test_what_fails_alone_for_another_reason_is_kept(world, calls):
    def answer(ids):
        if len(ids) > 1:
            raise error(ErrorCode.INVALID)
        return {"m1": error(ErrorCode.FORBIDDEN)} if ids == ["m1"] else {}

    calls(answer)

    result = deliver(world.queue, MESSAGES, deadline=world.deadline)

    assert {name: one.code for name, one in result.failed.items()} == {"m1": ErrorCode.FORBIDDEN}
    assert not result.rejected
