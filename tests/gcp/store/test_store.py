"""What is Firestore's own about the store."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreRestTransport

from aws.faulty import Faulty, lost
from gcp.answers import error_of, told
from tuppence import config, plugins
from tuppence.connection import MOST
from tuppence.drivers import Absent, Context, Feature, Key, Kind, Record, Role, Version
from tuppence.errors import ConfigError, ErrorCode
from tuppence.meter import UnitMeter
from tuppence.pipeline.retention import purge
from tuppence.store import Store
from tuppence.testing import ManualClock
from tuppence.testing.contract import failures, refused
from tuppence_gcp.documents import MAX_DOCUMENT, RECORD
from tuppence_gcp.store import PAGE_RECORDS, FirestoreStore

DAY = timedelta(days=1)
KEY = Key(partition="p", sort="s")


@pytest.fixture
def clock():
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def store(opened, firestore_url, project):
    return opened(FirestoreStore, firestore_url, collection=project)


def keys(*sorts):
    return [Key(partition="p", sort=sort) for sort in sorts]


def record(sort, body=b"x", **more):
    return Record(key=Key(partition="p", sort=sort), body=body, **more)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"blobs": "s3://bucket"}, "no place in Cloud Storage"),
        ({"blobs": "gs://NO"}, "no place in Cloud Storage"),
        ({"collection": "a/b"}, "cannot be a collection's name"),
        ({"collection": "__all__"}, "cannot be a collection's name"),
        ({"daily_deletes": -1}, "cannot be below 0"),
    ],
)
def test_what_google_would_refuse_is_refused_with_a_sentence(settings, words, tmp_path):
    given = config.load(folder=tmp_path, environ={}, provider="gcp", store=settings)
    context = Context(project="bot", meter=UnitMeter(), clock=ManualClock())

    with pytest.raises(ConfigError, match=words):
        plugins.load().driver(Kind.STORE, given, context)


def test_each_role_may_do_what_it_does_and_no_more(opened):
    plain = opened(FirestoreStore, "", project_id="acme")
    apart = opened(FirestoreStore, "", project_id="acme", blobs="gs://acme-events/bodies")

    def allowed(store, role):
        return {(one.action.partition(".")[2], one.resource) for one in store.permissions(role)}

    database = "projects/acme/databases/(default)"
    reads = {("entities.get", database), ("entities.list", database)}
    writes = {("entities.create", database), ("entities.update", database)}
    bucket = "projects/_/buckets/acme-events"
    assert allowed(plain, Role.PRODUCER) == allowed(apart, Role.PRODUCER) == set()
    assert allowed(plain, Role.REPORTER) == reads | writes
    assert allowed(plain, Role.PROCESSOR) == reads | writes | {("entities.delete", database)}
    assert allowed(apart, Role.PROCESSOR) - allowed(plain, Role.PROCESSOR) == {
        ("buckets.get", bucket),
        ("objects.create", bucket),
        ("objects.get", bucket),
    }
    assert ("objects.create", bucket) not in allowed(apart, Role.REPORTER)


def test_googles_own_client_reads_the_document(store, firestore_url, project, soon, clock):
    expires = clock.now().replace(microsecond=0) + DAY
    store.put([record("s", b"\x00\xff", attributes={"why": "fünf"}, expires_at=expires)], deadline=soon())

    transport = FirestoreRestTransport(
        host=firestore_url, credentials=AnonymousCredentials(), url_scheme="http"
    )
    with FirestoreClient(transport=transport) as client:
        name = f"projects/proj/databases/(default)/documents/{project}/=p!s"
        read = client.get_document(
            request={"name": name}, retry=None, metadata=[("authorization", "Bearer owner")]
        )

    assert read.fields["b"].bytes_value == b"\x00\xff"
    assert json.loads(read.fields["a"].string_value) == {"why": "fünf"}
    assert read.fields["e"].timestamp_value == expires
    assert sorted(read.fields) == ["a", "b", "e", "t"]


def test_a_key_may_look_like_a_name_that_firestore_keeps_to_itself(store, soon):
    key = Key(partition="__a", sort="b__")

    errors = store.put([Record(key=key, body=b"x")], deadline=soon())

    assert not errors
    assert [one.key for one in store.query("__a", limit=1, deadline=soon()).records] == [key]


def test_a_page_of_the_largest_records_can_be_read_in_one_answer():
    assert PAGE_RECORDS * (MAX_DOCUMENT * 4 // 3 + 2_000) < MOST


def test_documents_are_counted_as_they_are_billed(store, meter, soon, clock):
    units = {}

    def call(name, *told, **more):
        getattr(store, name)(*told, deadline=soon(), **more)
        units[name, bool(more)] = meter.take()

    call("put", [record(sort, bytes(100_000)) for sort in "abc"])
    call("get", keys("a", "b", "nothing"))
    call("query", "p", limit=10)
    call("delete", keys("a", "nothing"))
    store.query("empty", limit=10, deadline=soon())
    nothing = meter.take()
    store.put([record("b"), record("new")], condition=Absent(), deadline=soon())

    assert units["put", False] == {"firestore.writes": 3}
    assert units["get", False] == {"firestore.reads": 3}
    assert units["query", True] == {"firestore.reads": 3}
    assert units["delete", False] == {"firestore.deletes": 2}
    assert nothing == {"firestore.reads": 1}
    assert meter.take() == {"firestore.writes": 2, "firestore.reads": 1}  # one was there, and is looked at


def test_a_purge_pays_for_what_it_finds_and_deletes(store, meter, soon, clock):
    store.put([record(sort, expires_at=clock.now() + DAY) for sort in "abc"], deadline=soon())
    store.put([record("kept")], deadline=soon())
    clock.advance(2 * DAY)
    meter.take()

    purged = store.purge(before=clock.now(), limit=2, deadline=soon())

    assert purged == 2
    assert meter.take() == {"firestore.reads": 2, "firestore.deletes": 2}


def test_purging_stops_where_the_hours_share_of_what_is_free_ends(
    opened, firestore_url, project, meter, soon, clock
):
    kept = Store(opened(FirestoreStore, firestore_url, collection=project, daily_deletes=48), clock)
    ends = clock.now() + DAY
    kept.driver.put([record(f"{number}", expires_at=ends) for number in range(7)], deadline=soon())
    clock.advance(2 * DAY)
    meter.take()

    hourly = []
    for _ in range(4):
        hourly.append(purge(kept, clock=clock, deadline=soon()))
        assert purge(kept, clock=clock, deadline=soon()) == 0
        clock.advance(timedelta(hours=1))

    assert hourly == [2, 2, 2, 1]
    assert meter.take()["firestore.deletes"] == 7


def test_without_a_bound_a_purge_deletes_all(opened, firestore_url, project, soon, clock):
    kept = Store(opened(FirestoreStore, firestore_url, collection=project, daily_deletes=0), clock)
    ends = clock.now() + DAY
    for hundred in range(9):
        batch = [record(f"{hundred}-{number}", expires_at=ends) for number in range(100)]
        kept.driver.put(batch, deadline=soon())
    clock.advance(2 * DAY)

    assert purge(kept, clock=clock, deadline=soon()) == 900


def test_what_a_day_deletes_by_default_is_free():
    assert FirestoreStore.Options().daily_deletes < 20_000


def test_a_store_whose_service_deletes_leaves_it_to_it(opened, firestore_url, project, soon, clock):
    native = opened(FirestoreStore, firestore_url, collection=project, native_ttl=True)
    plain = opened(FirestoreStore, firestore_url, collection=project)
    native.put([record("a", expires_at=clock.now() + DAY)], deadline=soon())
    clock.advance(2 * DAY)

    assert native.features == {Feature.NATIVE_TTL}
    assert native.purge(before=clock.now(), limit=10, deadline=soon()) == 0
    assert plain.purge(before=clock.now(), limit=10, deadline=soon()) == 1


def test_attributes_that_json_makes_too_long_are_refused_alone(store, soon):
    grown = record("b", bytes(RECORD - 20_000), attributes={"a": "\x01" * 19_000})
    assert grown.size <= RECORD
    assert len(grown.body) + 6 * 19_000 > MAX_DOCUMENT

    errors = store.put([record("a"), grown, record("c")], deadline=soon())

    assert failures(errors) == [(1, ErrorCode.TOO_LARGE)]
    assert store.get(keys("a", "c"), deadline=soon()).count(None) == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [(10, ErrorCode.THROTTLED), (3, ErrorCode.INVALID), (14, ErrorCode.UNAVAILABLE), (99, ErrorCode.UNKNOWN)],
)
@pytest.mark.parametrize("condition", [None, Absent()])
def test_what_fails_alone_is_named_alone(opened, stand_in, soon, number, code, condition):
    answer = told({"writeResults": [{}, {}], "status": [{}, {"code": number}]})
    store = opened(FirestoreStore, stand_in(lambda _: answer))

    errors = store.put([record("a"), record("b")], condition=condition, deadline=soon())

    assert failures(errors) == [(1, code)]


def test_a_crowd_at_one_document_is_throttled(opened, stand_in, soon):
    store = opened(FirestoreStore, stand_in(lambda _: error_of(409, "ABORTED")))

    with refused(ErrorCode.THROTTLED):
        store.put([record("a")], deadline=soon())


def test_what_is_known_when_the_second_look_fails_is_told(opened, stand_in, soon):
    answers = iter(
        [
            told({"writeResults": [{}, {}], "status": [{}, {"code": 6}]}),
            error_of(503, "UNAVAILABLE"),
        ]
    )
    store = opened(FirestoreStore, stand_in(lambda _: next(answers)))

    errors = store.put([record("written"), record("there")], condition=Absent(), deadline=soon())

    assert failures(errors) == [(1, ErrorCode.UNAVAILABLE)]


def test_one_that_comes_and_goes_for_ever_is_given_up(opened, stand_in, soon):
    def answer(request):
        if request.path.endswith(":batchGet"):
            return told(
                [{"missing": json.loads(request.body)["documents"][0], "readTime": "2026-12-01T00:00:00Z"}]
            )
        return told({"writeResults": [{}], "status": [{"code": 6}]})

    store = opened(FirestoreStore, stand_in(answer))

    errors = store.put([record("a")], condition=Absent(), deadline=soon())

    assert failures(errors) == [(0, ErrorCode.THROTTLED)]


def test_a_put_whose_answer_was_lost_knows_itself_again(opened, firestore_url, project, context, clock, soon):
    with Faulty(firestore_url).running() as proxy:
        proxy.planned.append(lost)
        store = Store(opened(FirestoreStore, proxy.url, collection=project), clock)

        written = store.put(record("a"), condition=Absent(), deadline=soon())

    assert written
    assert proxy.met["lost"] == 1


def test_an_expired_version_is_refused_without_asking(store, meter, soon, clock):
    store.put([record("a", expires_at=clock.now() + DAY)], deadline=soon())
    (read,) = store.get(keys("a"), deadline=soon())
    clock.advance(2 * DAY)
    meter.take()

    errors = store.put([record("a")], condition=Version(read.version), deadline=soon())

    assert failures(errors) == [(0, ErrorCode.CONFLICT)]
    assert not meter.take()
