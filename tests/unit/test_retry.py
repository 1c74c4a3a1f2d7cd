"""How long and how often things are tried."""

import pytest

from tuppence.clock import Deadline
from tuppence.drivers import ItemError, Limits
from tuppence.errors import DriverError, ErrorCode
from tuppence.retry import FEW_TRIES, FIRST_TRY, LONGEST_PAUSE, call, each, pause_before
from tuppence.testing.clock import ManualClock

FEW = (ErrorCode.UNKNOWN, ErrorCode.UNAUTHENTICATED)
FINAL = [code for code in ErrorCode if not code.retryable and code not in FEW]
LIMITS = Limits(batch_items=3, batch_bytes=10, item_bytes=8)


@pytest.fixture
def clock():
    return ManualClock()


def error(code, retry_after=None):
    return DriverError(code, operation="store.get", provider="test", retry_after=retry_after)


def failing(times, code, **options):
    """Return an operation that fails so many times and then answers, and the list of its tries."""
    tries = []

    def operation(*, deadline):
        tries.append(1)
        if len(tries) <= times:
            raise error(code, **options)
        return "answer"

    return operation, tries


def try_it(operation, clock, seconds=60):
    return call(operation, deadline=Deadline.after(seconds, clock), clock=clock, name="store.get")


@pytest.mark.parametrize("code", [ErrorCode.THROTTLED, ErrorCode.UNAVAILABLE, ErrorCode.TIMEOUT])
def test_what_may_pass_is_tried_until_it_does(clock, code):
    operation, tries = failing(5, code)

    assert try_it(operation, clock) == "answer"
    assert len(tries) == 6


@pytest.mark.parametrize("code", FINAL)
def test_what_will_not_pass_is_tried_once(clock, code):
    operation, tries = failing(1, code)

    with pytest.raises(DriverError) as caught:
        try_it(operation, clock)

    assert caught.value.code is code
    assert len(tries) == 1
    assert clock.monotonic() == 0


def test_an_error_without_a_name_is_tried_a_few_times(clock):
    def leak(*, deadline):
        tries.append(1)
        raise KeyError("secret")

    tries = []
    with pytest.raises(DriverError) as caught:
        try_it(leak, clock)

    assert caught.value.code is ErrorCode.UNKNOWN
    assert isinstance(caught.value.__cause__, KeyError)
    assert "secret" not in str(caught.value)
    assert len(tries) == FEW_TRIES


@pytest.mark.parametrize("code", FEW)
def test_what_only_a_repair_ends_is_tried_a_few_times_whatever_came_before(clock, code):
    def operation(*, deadline):
        tries.append(ErrorCode.THROTTLED if len(tries) < 5 else code)
        raise error(tries[-1])

    tries = []
    with pytest.raises(DriverError) as caught:
        try_it(operation, clock, seconds=600)

    assert caught.value.code is code
    assert tries.count(code) == FEW_TRIES


def test_a_try_that_nobody_answers_leaves_time_for_others_each_twice_as_long(clock):
    def unanswered(*, deadline):
        given.append(deadline.remaining())
        clock.sleep(deadline.remaining())
        raise error(ErrorCode.TIMEOUT)

    given = []
    with pytest.raises(DriverError):
        try_it(unanswered, clock, seconds=300)

    assert given[:4] == pytest.approx([FIRST_TRY, 2 * FIRST_TRY, 4 * FIRST_TRY, 8 * FIRST_TRY])
    assert given[4] < 16 * FIRST_TRY
    assert clock.monotonic() <= 300


def test_trying_ends_by_the_deadline(clock):
    operation, tries = failing(10_000, ErrorCode.UNAVAILABLE)

    with pytest.raises(DriverError):
        try_it(operation, clock, seconds=60)

    assert clock.monotonic() <= 60
    assert len(tries) < 60


def test_a_service_that_asks_for_time_gets_it(clock):
    operation, _ = failing(1, ErrorCode.THROTTLED, retry_after=7.5)

    try_it(operation, clock)

    assert clock.monotonic() >= 7.5


def test_a_service_that_asks_for_more_time_than_there_is_gets_no_more_tries(clock):
    operation, tries = failing(1, ErrorCode.THROTTLED, retry_after=61)

    with pytest.raises(DriverError):
        try_it(operation, clock, seconds=60)

    assert len(tries) == 1


@pytest.mark.parametrize("attempt", [1, 2, 10, 10_000])
def test_a_pause_is_random_and_bounded(attempt):
    pauses = {pause_before(attempt) for _ in range(50)}

    assert len(pauses) > 40
    assert max(pauses) <= min(LONGEST_PAUSE, 0.1 * 2 ** min(attempt, 20))


def do_each(items, operation, clock, *, seconds=60):
    return each(
        items,
        operation,
        size=len,
        limits=LIMITS,
        deadline=Deadline.after(seconds, clock),
        clock=clock,
        name="queue.send",
    )


def test_items_go_out_as_many_together_as_fit(clock):
    batches = []

    def operation(batch, *, deadline):
        batches.append(batch)
        return []

    assert do_each(["aa", "bb", "cc", "dd", "eeeeee", "ffffff", "g"], operation, clock) == []

    assert batches == [["aa", "bb", "cc"], ["dd", "eeeeee"], ["ffffff", "g"]]


def test_an_item_over_the_limit_fails_alone_and_untried(clock):
    batches = []

    def operation(batch, *, deadline):
        batches.append(batch)
        return []

    [failed] = do_each(["aa", "b" * 9, "cc"], operation, clock)

    assert (failed.position, failed.error.code) == (1, ErrorCode.TOO_LARGE)
    assert batches == [["aa", "cc"]]


def test_only_items_that_may_still_succeed_are_tried_again(clock):
    batches = []

    def operation(batch, *, deadline):
        batches.append(batch)
        failures = {"b": ErrorCode.INVALID, "c": ErrorCode.THROTTLED}
        return [
            ItemError(at, error(failures[item]))
            for at, item in enumerate(batch)
            if item in failures and not (item == "c" and len(batches) > 2)
        ]

    [failed] = do_each(["a", "b", "c"], operation, clock)

    assert (failed.position, failed.error.code) == (1, ErrorCode.INVALID)
    assert batches == [["a", "b", "c"], ["c"], ["c"]]


def test_pauses_do_not_grow_while_something_gets_through(clock):
    def operation(batch, *, deadline):
        return [ItemError(at, error(ErrorCode.UNAVAILABLE)) for at in range(1, len(batch))]

    failed = each(
        ["a"] * 100,
        operation,
        size=len,
        limits=Limits(batch_items=100, batch_bytes=100, item_bytes=1),
        deadline=Deadline.after(60, clock),
        clock=clock,
        name="queue.send",
    )

    assert failed == []
    assert clock.monotonic() < 100 * 0.2


def test_items_still_failing_at_the_deadline_are_named(clock):
    def operation(batch, *, deadline):
        return [ItemError(len(batch) - 1, error(ErrorCode.UNAVAILABLE))]

    failed = do_each(["a", "b", "c", "d"], operation, clock, seconds=5)

    assert sorted(one.position for one in failed) == [2, 3]
    assert clock.monotonic() <= 5


def test_a_call_that_fails_whole_fails_each_of_its_items(clock):
    def operation(batch, *, deadline):
        if "a" in batch:
            raise error(ErrorCode.FORBIDDEN)
        return []

    failed = do_each(["a", "b", "c", "d"], operation, clock)

    assert [(one.position, one.whole_call) for one in failed] == [(0, True), (1, True), (2, True)]


def test_an_item_that_fails_alone_is_told_from_one_whose_call_failed(clock):
    def operation(batch, *, deadline):
        return [ItemError(0, error(ErrorCode.FORBIDDEN))]

    failed = do_each(["a", "b"], operation, clock)

    assert [(one.position, one.whole_call) for one in failed] == [(0, False)]
