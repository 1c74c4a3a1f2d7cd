"""An answer of Firestore's is complete, or it is an error: the emulator's own, broken on the way."""

import json
from datetime import UTC, datetime

import pytest

from aws.faulty import Answer, Faulty
from gcp.answers import told
from tuppence.drivers import Absent, Key, Record
from tuppence.errors import ErrorCode
from tuppence.store import Store
from tuppence.testing import ManualClock
from tuppence.testing.contract import refused
from tuppence_gcp.store import FirestoreStore

ERROR = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "made up"}}
KEYS = [Key(partition="p", sort=sort) for sort in ("a", "b", "c", "d", "nothing")]
READ = "2026-12-01T00:00:00Z"


@pytest.fixture
def clock():
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def proxy(firestore_url):
    with Faulty(firestore_url).running() as proxy:
        yield proxy


@pytest.fixture
def store(opened, proxy, project, soon):
    """Return a store that holds all of KEYS but the last."""
    store = opened(FirestoreStore, proxy.url, collection=project)
    assert not store.put([Record(key=key, body=b"x") for key in KEYS[:-1]], deadline=soon())
    return store


def edited(edit):
    """Return a fault that changes the elements of an answer."""

    def fault(request, forward):
        answer = forward(request)
        elements = json.loads(answer.body)
        assert isinstance(elements, list)
        return Answer(answer.status, answer.headers, json.dumps(edit(elements)).encode())

    return fault


def cut(elements):
    """End with an error after the second element, as a stream does that broke."""
    return [*elements[:2], ERROR]


BROKEN = {
    "an error after some": cut,
    "an error and nothing else": lambda _: [ERROR],
    "an error after all": lambda elements: [*elements, ERROR],
    "nothing": lambda _: [],
    "an element of an unknown kind": lambda elements: [*elements[:2], {}],
}


@pytest.mark.parametrize("edit", BROKEN.values(), ids=BROKEN)
def test_a_broken_query_is_an_error(store, proxy, soon, edit):
    proxy.planned.append(edited(edit))

    with refused(ErrorCode.UNAVAILABLE):
        store.query("p", limit=20, deadline=soon())


@pytest.mark.parametrize(
    "edit",
    [
        *BROKEN.values(),
        pytest.param(lambda elements: elements[:2], id="some"),
        pytest.param(lambda elements: [*elements, elements[0]], id="one twice"),
        pytest.param(lambda elements: [*elements, {"missing": "another", "readTime": READ}], id="another"),
    ],
)
def test_a_broken_get_is_an_error(store, proxy, soon, edit):
    proxy.planned.append(edited(edit))

    with refused(ErrorCode.UNAVAILABLE):
        store.get(KEYS, deadline=soon())


def test_a_query_that_does_not_say_that_it_is_done_is_asked_for_the_rest(store, proxy, soon, meter):
    proxy.planned.append(edited(lambda elements: elements[:2]))
    meter.take()

    page = store.query("p", limit=20, deadline=soon())

    assert [record.key for record in page.records] == KEYS[:-1]
    assert page.cursor is None
    assert meter.take() == {"firestore.reads": 4}


def test_a_query_that_never_says_that_it_is_done_ends_when_nothing_follows(store, proxy, soon):
    quiet = edited(lambda elements: [{**one, "done": False} for one in elements])
    proxy.planned.extend([quiet, quiet])

    page = store.query("p", limit=20, deadline=soon())

    assert [record.key for record in page.records] == KEYS[:-1]
    assert page.cursor is None
    assert proxy.met["fault"] == 2


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda elements: [*elements, elements[0]], id="one twice"),
        pytest.param(lambda elements: elements[::-1], id="in another order"),
    ],
)
def test_a_query_that_brings_what_it_should_not_is_an_error(store, proxy, soon, edit):
    proxy.planned.append(edited(edit))

    with refused(ErrorCode.UNAVAILABLE):
        store.query("p", limit=20, deadline=soon())


def test_a_query_that_brings_more_than_was_asked_for_is_an_error(store, proxy, soon):
    whole = store._firestore.between("store.query", "=p!", '=p"', soon(), limit=20, after=False)
    rows = [{"document": {"name": one.name}, "readTime": READ} for one in whole]
    proxy.planned.append(lambda _request, _forward: told(rows))
    proxy.planned[0].__name__ = "more"

    with refused(ErrorCode.UNAVAILABLE):
        store.query("p", limit=3, deadline=soon())


@pytest.mark.parametrize("statuses", [[], [{}], [{}] * 3])
@pytest.mark.parametrize("condition", [None, Absent()])
def test_a_write_that_is_not_answered_for_each_record_is_an_error(
    opened, stand_in, soon, statuses, condition
):
    store = opened(FirestoreStore, stand_in(lambda _: told({"status": statuses})))

    with refused(ErrorCode.UNAVAILABLE):
        store.put([Record(key=key, body=b"x") for key in KEYS[:2]], condition=condition, deadline=soon())


def test_core_asks_again_and_gets_the_whole(store, proxy, clock, soon):
    proxy.planned.extend([edited(cut), None, edited(cut)])
    whole = Store(store, clock)

    found = [record.key for record in whole.query("p", deadline=soon())]
    read = whole.get_many(KEYS, deadline=soon())

    assert found == KEYS[:-1]
    assert [record.key if record else None for record in read] == [*KEYS[:-1], None]
    assert proxy.met["fault"] == 2


@pytest.mark.parametrize(
    ("status", "name", "code"),
    [
        (409, "ABORTED", ErrorCode.THROTTLED),
        (400, "FAILED_PRECONDITION", ErrorCode.CONFLICT),
        (403, "PERMISSION_DENIED", ErrorCode.FORBIDDEN),
        (429, "RESOURCE_EXHAUSTED", ErrorCode.THROTTLED),
        (400, "INVALID_ARGUMENT", ErrorCode.INVALID),
    ],
)
def test_an_error_in_a_list_is_read_as_one_that_stands_alone(opened, stand_in, soon, status, name, code):
    body = {"code": status, "status": name, "message": "words of the service"}
    alone = opened(FirestoreStore, stand_in(lambda _: told({"error": body}, status)))
    listed = opened(FirestoreStore, stand_in(lambda _: told([{"error": body}], status)))
    in_stream = opened(FirestoreStore, stand_in(lambda _: told([{"error": body}])))

    messages = []
    for store in (alone, listed, in_stream):
        with refused(code) as caught:
            store.get(KEYS, deadline=soon())
        messages.append(str(caught.value))

    assert len(set(messages)) == 1


def test_what_the_service_says_of_permissions_and_states_is_shown(opened, stand_in, soon):
    for name in ("PERMISSION_DENIED", "FAILED_PRECONDITION", "UNAUTHENTICATED"):
        error = {"error": {"code": 400, "status": name, "message": "words of the service"}}
        store = opened(FirestoreStore, stand_in(lambda _, error=error: told([error], 400)))

        with pytest.raises(Exception, match="words of the service"):
            store.get(KEYS, deadline=soon())


def test_what_might_repeat_what_was_sent_is_shown_only_of_a_check(opened, stand_in, soon):
    error = {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "words of the service"}}
    store = opened(FirestoreStore, stand_in(lambda _: told([error], 400)))

    with refused(ErrorCode.INVALID) as caught:
        store.put([Record(key=KEYS[0], body=b"x")], deadline=soon())
    with refused(ErrorCode.INVALID) as checked:
        store.check()

    assert "words of the service" not in str(caught.value)
    assert "words of the service" in str(checked.value)


def test_the_pause_that_an_error_asks_for_is_read_from_its_details(opened, stand_in, soon):
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "2.5s"}
    error = {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "", "details": [detail]}}
    store = opened(FirestoreStore, stand_in(lambda _: told([error], 429)))

    with refused(ErrorCode.THROTTLED) as caught:
        store.get(KEYS, deadline=soon())

    assert caught.value.retry_after == 2.5
