"""What lies in the table, what it costs and how long it stays, seen with Microsoft's own client."""

from datetime import datetime

import msgspec
import pytest

from azure.drivers import driver_of
from azure.tables import table_at
from tuppence.clock import Deadline
from tuppence.drivers import Absent, Key, Record, Role
from tuppence.errors import ErrorCode
from tuppence.testing import ManualClock
from tuppence_azure.store import TableStore


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def client(connection_string, project):
    with table_at(connection_string, project) as client:
        yield client


@pytest.fixture
def store(client, account, project, clock):
    with driver_of(TableStore, project, clock, connection_string=account, table=project) as store:
        yield store


@pytest.fixture
def soon(clock):
    return lambda: Deadline.after(30, clock)


def records(partition, count, **more):
    return [Record(key=Key(partition=partition, sort=f"{n:03}"), body=b"x", **more) for n in range(count)]


def operations(store):
    return store.context.meter.take()["tables.operations"]


def test_microsofts_client_reads_what_was_written(store, client, soon):
    expires = datetime.fromisoformat("2026-12-24T00:00:00Z")
    key = Key(partition="bot.segments.2026111609", sort="abc")

    store.put(
        [Record(key=key, body=bytes(70_000), attributes={"why": "fünf"}, expires_at=expires)], deadline=soon()
    )

    entity = client.get_entity(key.partition, key.sort)
    assert (len(entity["d0"]), len(entity["d1"])) == (65_536, 70_000 - 65_536)
    assert msgspec.json.decode(entity["a"]) == {"why": "fünf"}
    assert entity["e"].value == int(expires.timestamp())


def test_records_of_one_partition_are_written_in_one_operation(store, soon):
    store.put([*records("a", 50), *records("b", 40)], deadline=soon())
    put = operations(store)
    store.put(records("c", 100), condition=Absent(), deadline=soon())
    put_absent = operations(store)
    store.delete([record.key for record in records("c", 100)], deadline=soon())
    deleted = operations(store)
    store.get([record.key for record in records("a", 3)], deadline=soon())

    assert (put, put_absent, deleted, operations(store)) == (2, 1, 1, 3)


def test_where_one_record_is_there_the_others_are_tried_one_by_one(store, soon):
    store.put(records("a", 1), deadline=soon())
    operations(store)

    errors = store.put(records("a", 4), condition=Absent(), deadline=soon())

    assert [(error.position, error.error.code) for error in errors] == [(0, ErrorCode.ALREADY_EXISTS)]
    assert operations(store) == 1 + 4 + 1  # together, each alone, and a look at the one that is there


def test_what_is_too_much_for_one_transaction_is_written_one_by_one(store, soon):
    verbose = {"a": "\x00" * 5_000}  # as JSON six times as long

    errors = store.put(records("a", 100, attributes=verbose), deadline=soon())

    assert not errors
    assert store.get([records("a", 100)[99].key], deadline=soon())[0].attributes == verbose


def test_attributes_that_fit_into_no_property_are_refused(store, soon):
    (too_much,) = records("a", 1, attributes={"a": "x" * 32_768})
    (small,) = records("b", 1)

    errors = store.put([too_much, small], deadline=soon())

    assert [(error.position, error.error.code) for error in errors] == [(0, ErrorCode.TOO_LARGE)]


def test_the_processor_deletes_and_the_reporter_does_not(store):
    actions = {
        role: {permission.action.rpartition("entities/")[2] for permission in store.permissions(role)}
        for role in Role
    }

    assert actions[Role.PRODUCER] == set()
    assert actions[Role.PROCESSOR] - actions[Role.REPORTER] == {"delete"}
    assert all(one.resource.endswith(f"/tables/{store.name}") for one in store.permissions(Role.PROCESSOR))


@pytest.mark.parametrize("name", ["my-table", "1st", "ab", "x" * 64])
def test_a_table_that_cannot_be_is_refused_by_the_configuration(name):
    with pytest.raises(msgspec.ValidationError, match="cannot be a table's name"):
        msgspec.convert({"table": name}, TableStore.Options)
