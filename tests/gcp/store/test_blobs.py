"""Bodies in Cloud Storage: one object for each drain, and what that costs."""

import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from aws.faulty import Answer, Faulty
from gcp.stores import bucket_at
from tuppence.drivers import Absent, Key, Record
from tuppence.errors import ErrorCode
from tuppence.testing import ManualClock
from tuppence.testing.contract import refused
from tuppence_gcp.blobs import ALONE, LEAST
from tuppence_gcp.store import FirestoreStore

DAY = timedelta(days=1)


@pytest.fixture
def clock():
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def bucket(storage_url, project, monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", storage_url)
    with bucket_at(storage_url, project) as bucket:
        yield bucket


@pytest.fixture
def store(opened, firestore_url, project, bucket, monkeypatch):
    monkeypatch.setattr("tuppence_gcp.store.ALONE", LEAST)  # so that one record is enough for a test
    return opened(FirestoreStore, firestore_url, collection=project, blobs=f"gs://{project}/of/bodies")


def segment(n, clock, body=None, *, days=30):
    key = Key(partition="segments.2026112300", sort=f"{n:04}")
    return Record(key=key, body=body or bytes([n]) * 60_000, expires_at=clock.now() + days * DAY)


def test_the_segments_of_a_drain_are_one_object(store, bucket, meter, clock, soon):
    sent = [segment(n, clock) for n in range(23)]

    assert not store.put(sent, condition=Absent(), deadline=soon())

    (found,) = bucket.list_blobs()
    assert found.name.startswith("of/bodies/")
    assert found.download_as_bytes() == b"".join(one.body for one in sent)
    assert meter.take() == {"gcs.class_a": 1, "firestore.writes": 23}


def test_an_object_ends_with_the_last_of_its_records(store, bucket, clock, soon):
    store.put([segment(1, clock, days=30), segment(2, clock, days=31)], condition=Absent(), deadline=soon())

    (found,) = bucket.list_blobs()

    assert found.custom_time == (clock.now() + 31 * DAY).replace(microsecond=0)


def test_what_lies_in_one_object_is_read_by_one_request(store, meter, clock, soon):
    sent = [segment(n, clock) for n in range(12)]
    for first in (0, 6):
        store.put(sent[first : first + 6], condition=Absent(), deadline=soon())
    meter.take()

    page = store.query("segments.2026112300", limit=100, deadline=soon())
    whole = meter.take()
    some = store.get([sent[n].key for n in (3, 1)], deadline=soon())

    assert [one.body for one in page.records] == [one.body for one in sent]
    assert whole == {"firestore.reads": 12, "gcs.class_b": 2}
    assert [one.body for one in some] == [sent[3].body, sent[1].body]
    assert meter.take() == {"firestore.reads": 2}  # the object is still here


def test_an_hour_is_read_by_a_request_for_each_object_however_many_pages_it_has(store, meter, clock, soon):
    for first in range(4):
        mixed = [segment(n, clock, bytes([n]) * 1_000) for n in range(first, 100, 4)]
        store.put(mixed, condition=Absent(), deadline=soon())
    meter.take()

    pages, cursor = [], ""
    while cursor is not None:
        page = store.query("segments.2026112300", limit=100, cursor=cursor or None, deadline=soon())
        pages.append(page.records)
        cursor = page.cursor

    assert len(pages) > 4
    assert [one.body[0] for page in pages for one in page] == list(range(100))
    assert meter.take()["gcs.class_b"] == 4


def test_what_is_kept_of_objects_has_an_end(store, meter, clock, soon, monkeypatch):
    monkeypatch.setattr("tuppence_gcp.blobs.KEPT", 100_000)
    sent = [segment(n, clock) for n in range(4)]
    for one in sent:
        store.put([one], condition=Absent(), deadline=soon())
    meter.take()

    def read(n):
        assert store.get([sent[n].key], deadline=soon())[0].body == sent[n].body
        return meter.take().get("gcs.class_b", 0)

    assert [read(0), read(0), read(1), read(1)] == [1, 0, 1, 1]  # only the first has room
    assert [read(1), read(1), read(2)] == [1, 0, 1]  # until nobody has asked for it for a while


def test_what_may_be_written_over_or_never_ends_or_is_small_stays_in_firestore(store, bucket, clock, soon):
    lasting = Record(key=Key(partition="p", sort="lasting"), body=bytes(60_000))
    small = [segment(n, clock, bytes(LEAST // 2 - 1)) for n in (2, 3)]

    store.put([segment(1, clock)], deadline=soon())
    store.put([lasting, *small], condition=Absent(), deadline=soon())

    assert not list(bucket.list_blobs())


def test_small_bodies_are_one_object_when_there_are_enough_of_them(store, bucket, clock, soon):
    small = [segment(n, clock, bytes([n]) * 1_000) for n in range(30)]

    store.put(small, condition=Absent(), deadline=soon())

    (found,) = bucket.list_blobs()
    assert found.size == 30_000
    assert [one.body for one in store.get([one.key for one in small], deadline=soon())] == [
        one.body for one in small
    ]


def test_what_is_put_alone_is_no_drain_and_stays_in_firestore(store, bucket, clock, soon, monkeypatch):
    monkeypatch.setattr("tuppence_gcp.store.ALONE", ALONE)

    store.put([segment(1, clock)], condition=Absent(), deadline=soon())
    assert not list(bucket.list_blobs())

    store.put([segment(2, clock, bytes(ALONE))], condition=Absent(), deadline=soon())
    assert len(list(bucket.list_blobs())) == 1


def test_a_segment_that_comes_again_stays_where_it_was(store, clock, soon):
    first, again = segment(1, clock), segment(1, clock, b"again" * 10_000)
    store.put([first], condition=Absent(), deadline=soon())

    errors = store.put([again], condition=Absent(), deadline=soon())

    assert [one.error.code for one in errors] == [ErrorCode.ALREADY_EXISTS]
    assert store.get([first.key], deadline=soon())[0].body == first.body


def test_a_body_that_somebody_took_away_is_said_and_not_left_out(store, bucket, clock, soon):
    store.put([segment(1, clock)], condition=Absent(), deadline=soon())
    for blob in bucket.list_blobs():
        blob.delete()

    with refused(ErrorCode.NOT_FOUND) as caught:
        store.get([segment(1, clock).key], deadline=soon())

    assert bucket.name in str(caught.value)


def test_a_purge_leaves_objects_to_the_bucket(store, bucket, clock, soon):
    store.put([segment(1, clock)], condition=Absent(), deadline=soon())
    clock.advance(31 * DAY)

    assert store.purge(before=clock.now(), limit=10, deadline=soon()) == 1
    assert len(list(bucket.list_blobs())) == 1


def test_a_bucket_that_deletes_nothing_is_found_out(opened, firestore_url, storage_url, project, bucket):
    with bucket_at(storage_url, f"{project}-keeps", deletes=False):
        store = opened(FirestoreStore, firestore_url, blobs=f"gs://{project}-keeps")

        with refused(ErrorCode.INVALID) as caught:
            store.check()

    assert "nothing deletes what has expired" in str(caught.value)


def test_a_bucket_that_is_not_there_is_found_out(opened, firestore_url, project, bucket):
    store = opened(FirestoreStore, firestore_url, blobs=f"gs://{project}-nowhere")

    with refused(ErrorCode.NOT_FOUND):
        store.check()


def test_a_store_that_lost_its_bucket_from_its_settings_says_so(
    opened, store, firestore_url, project, clock, soon
):
    store.put([segment(1, clock)], condition=Absent(), deadline=soon())
    forgetful = opened(FirestoreStore, firestore_url, collection=project)

    with refused(ErrorCode.INVALID) as caught:
        forgetful.get([segment(1, clock).key], deadline=soon())

    assert "set `blobs`" in str(caught.value)


def test_a_document_whose_body_found_no_bucket_is_not_written(
    opened, firestore_url, project, bucket, clock, soon
):
    gone = opened(FirestoreStore, firestore_url, collection=project, blobs=f"gs://{project}-nowhere")
    plain = opened(FirestoreStore, firestore_url, collection=project)

    with refused(ErrorCode.NOT_FOUND):
        gone.put([segment(n, clock) for n in (1, 2)], condition=Absent(), deadline=soon())

    assert plain.get([segment(n, clock).key for n in (1, 2)], deadline=soon()) == [None, None]


@pytest.fixture
def through_proxy(opened, firestore_url, storage_url, project, bucket, monkeypatch):
    """Return a proxy before the bucket, and a store that goes through it."""
    with Faulty(storage_url).running() as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.url)
        url = f"gs://{project}/of/bodies"
        yield proxy, opened(FirestoreStore, firestore_url, collection=project, blobs=url)


def cut(request, forward):
    """Let an object end before its end."""
    answer = forward(request)
    return Answer(answer.status, {}, answer.body[:-1])


def exchanged(request, forward):
    """Hand out another object's bytes, of the same length, beside this one's digest."""
    answer = forward(request)
    digest = b64encode(hashlib.md5(answer.body, usedforsecurity=False).digest()).decode()
    headers = {"X-Goog-Hash": f"crc32c=AAAAAA==,md5={digest}"}
    return Answer(answer.status, headers, answer.body[::-1])


@pytest.mark.parametrize("fault", [cut, exchanged])
def test_an_object_that_comes_damaged_is_an_error_and_is_not_kept(through_proxy, clock, soon, fault):
    proxy, store = through_proxy
    sent = [segment(n, clock, bytes(range(250)) * 240) for n in (1, 2)]
    store.put(sent, condition=Absent(), deadline=soon())
    proxy.planned.append(fault)

    with refused(ErrorCode.UNAVAILABLE):
        store.get([sent[1].key], deadline=soon())

    assert store.get([sent[1].key], deadline=soon())[0].body == sent[1].body


def test_an_object_that_was_stored_in_part_is_an_error(through_proxy, clock, soon):
    def short(request, forward):
        forward(request)
        return Answer(200, {"Content-Type": "application/json"}, b'{"size": "1"}')

    proxy, store = through_proxy
    proxy.planned.append(short)

    with refused(ErrorCode.UNAVAILABLE):
        store.put([segment(n, clock) for n in (1, 2)], condition=Absent(), deadline=soon())
