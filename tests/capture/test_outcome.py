"""What an exception says of the question whose block it leaves."""

import asyncio
import gc

import pytest

from tuppence.capture.outcome import departure
from tuppence.event import Outcome


class RateLimitError(Exception):
    """As the SDKs of OpenAI, Anthropic and LiteLLM name it."""


class PerMinuteError(RateLimitError):
    pass


# As httpx, requests and Starlette name them.
ReadTimeout = type("ReadTimeout", (Exception,), {})
ClientDisconnect = type("ClientDisconnect", (Exception,), {})


class Disguised(ExceptionGroup):
    """A group that runs code of the application's when it is looked at."""

    @property
    def exceptions(self):
        raise RuntimeError


GONE = [
    asyncio.CancelledError(),
    GeneratorExit(),
    KeyboardInterrupt(),
    SystemExit(),
    ClientDisconnect(),
    BaseExceptionGroup("g", [asyncio.CancelledError()]),
]
FAILED = [
    (ValueError("x"), "error", "ValueError"),
    (TimeoutError(), "timeout", "TimeoutError"),
    (ReadTimeout(), "timeout", "ReadTimeout"),
    (RateLimitError(), "rate_limited", "RateLimitError"),
    (PerMinuteError(), "rate_limited", "PerMinuteError"),
    (ExceptionGroup("g", [TimeoutError(), TimeoutError()]), "timeout", "TimeoutError"),
    (ExceptionGroup("g", [PerMinuteError()]), "rate_limited", "PerMinuteError"),
    (ExceptionGroup("g", [TimeoutError(), ValueError("x")]), "error", "ValueError"),
    (ExceptionGroup("g", [RateLimitError(), TimeoutError()]), "timeout", "TimeoutError"),
    (BaseExceptionGroup("g", [KeyboardInterrupt(), RateLimitError()]), "rate_limited", "RateLimitError"),
    (ExceptionGroup("g", [ExceptionGroup("h", [ExceptionGroup("i", [KeyError()])])]), "error", "KeyError"),
    (Disguised("g", [TimeoutError()]), "timeout", "TimeoutError"),
]


def name(one):
    return repr(one) if isinstance(one, BaseException) else None


def nested(depth):
    group = ExceptionGroup("leaf", [TimeoutError()])
    for _ in range(depth):
        group = ExceptionGroup("g", [group])
    return group


@pytest.fixture
def leave(client, sent):
    """Return a function that leaves a block by an exception and returns the data of its question."""

    def leaving(raised, state=lambda _: None):
        def ask():
            with client.question("?") as question:
                state(question)
                raise raised

        with pytest.raises(type(raised)):
            ask()
        assert client.flush()
        [event] = sent()[1]
        return event.data

    return leaving


@pytest.mark.parametrize(("raised", "outcome", "cause"), FAILED, ids=name)
def test_an_exception_that_leaves_the_block_is_its_outcome_and_goes_on(leave, raised, outcome, cause):
    data = leave(raised)

    assert (data["outcome"], data["cause"]) == (outcome, cause)


@pytest.mark.parametrize("raised", GONE, ids=name)
def test_whoever_went_away_leaves_aborted(leave, raised):
    data = leave(raised)

    assert (data["outcome"], data.get("cause")) == ("aborted", None)


@pytest.mark.parametrize("raised", GONE, ids=name)
def test_an_answer_that_was_stated_stands_when_whoever_asked_goes_away(leave, raised):
    data = leave(raised, lambda question: question.answered(model="m"))

    assert (data["outcome"], data["model"], data.get("cause")) == ("answered", "m", None)


@pytest.mark.parametrize(("raised", "outcome", "cause"), FAILED, ids=name)
def test_an_error_after_the_answer_was_stated_is_the_outcome_and_what_was_stated_is_kept(
    leave, raised, outcome, cause
):
    data = leave(raised, lambda question: question.answered(model="m"))

    assert (data["outcome"], data["cause"], data["model"]) == (outcome, cause, "m")


@pytest.mark.parametrize("raised", [ValueError(), TimeoutError(), KeyboardInterrupt()], ids=name)
def test_any_other_outcome_that_was_stated_stands(leave, raised):
    data = leave(raised, lambda question: question.refused("medical advice"))

    assert (data["outcome"], data["cause"]) == ("refused", "medical advice")


@pytest.mark.parametrize("wide", [10, 100_000])
def test_a_group_of_any_size_is_judged_in_bounded_time(wide):
    group = ExceptionGroup("g", [TimeoutError()] * wide)

    assert departure(type(group), group) == (Outcome.TIMEOUT, "TimeoutError")


def test_a_group_nested_without_end_is_an_error_of_its_own_name():
    assert departure(ExceptionGroup, nested(100)).outcome is Outcome.TIMEOUT
    assert departure(ExceptionGroup, nested(10_000)) == (Outcome.ERROR, "BaseExceptionGroup")


def test_a_timeout_inside_a_task_group_is_a_timeout(client, sent):
    async def fail():
        raise TimeoutError

    async def main():
        async with client.question("?"), asyncio.TaskGroup() as group:
            group.create_task(fail())

    with pytest.raises(ExceptionGroup):
        asyncio.run(main())
    client.flush()

    [event] = sent()[1]
    assert (event.data["outcome"], event.data["cause"]) == ("timeout", "TimeoutError")


def test_a_cancelled_task_leaves_aborted(client, sent):
    async def ask():
        async with client.question("?"):
            await asyncio.sleep(60)

    async def main():
        task = asyncio.create_task(ask())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await client.aflush()

    asyncio.run(main())

    assert [event.data["outcome"] for event in sent()[1]] == ["aborted"]


@pytest.mark.parametrize(("state", "outcome"), [(True, "answered"), (False, "aborted")])
def test_what_was_stated_stands_when_nobody_finishes_the_generator(client, sent, state, outcome):
    def stream():
        with client.question("?") as question:
            if state:
                question.answered(output_tokens=7)
            yield "token"

    answer = stream()
    next(answer)
    del answer
    gc.collect()
    client.flush()

    [event] = sent()[1]
    assert (event.data["outcome"], event.data.get("output_tokens")) == (outcome, 7 if state else None)
