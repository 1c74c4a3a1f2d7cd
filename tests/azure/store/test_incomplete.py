"""What Table Storage does not confirm has not been done; transactions match those of Microsoft's client."""

import re

import pytest
from azure.data.tables import TableClient

from aws.faulty import Answer, Faulty
from azure.drivers import driver_of
from azure.tables import table_at
from tuppence.clock import Deadline, SystemClock
from tuppence.drivers import Key, Record
from tuppence.errors import ErrorCode
from tuppence.settings import Secret
from tuppence.testing.contract import refused
from tuppence_azure.store import TableStore

KEYS = [Key(partition="p", sort=sort) for sort in "abc"]
RECORDS = [Record(key=key, body=b"x") for key in KEYS]


def soon():
    return Deadline.after(20, SystemClock())


@pytest.fixture
def through(connection_string, monkeypatch):
    """Return a proxy before Azurite, and the connection string by which it is reached."""
    told = dict(part.split("=", 1) for part in connection_string.split(";"))
    with Faulty(told["TableEndpoint"]).running() as proxy:
        told["TableEndpoint"] = f"{proxy.url}/devstoreaccount1"
        text = ";".join(f"{name}={value}" for name, value in told.items())
        monkeypatch.setenv("THROUGH", text)
        yield proxy, text


@pytest.fixture
def proxy(through):
    return through[0]


@pytest.fixture
def store(connection_string, project, through):
    with (
        table_at(connection_string, project),
        driver_of(TableStore, project, connection_string=Secret(env="THROUGH"), table=project) as store,
    ):
        yield store


def edited(edit):
    def fault(request, forward):
        answer = forward(request)
        assert answer.status < 300
        return Answer(answer.status, answer.headers, edit(answer.body))

    return fault


def without_a_part(body):
    """Leave out one of the answers of a transaction."""
    return re.sub(rb"HTTP/1.1 204.*?(?=--changeset)", b"", body, count=1, flags=re.DOTALL)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(without_a_part, id="a part is missing"),
        pytest.param(lambda body: body[: len(body) // 2], id="cut in the middle"),
        pytest.param(lambda body: body.rstrip()[:-2], id="without its end"),
        pytest.param(lambda body: b"", id="empty"),
    ],
)
@pytest.mark.parametrize("call", ["put", "delete"])
def test_a_transaction_that_is_not_answered_for_each_change_is_an_error(store, proxy, call, edit):
    store.put(RECORDS, deadline=soon())
    given = RECORDS if call == "put" else KEYS
    proxy.planned.append(edited(edit))

    with refused(ErrorCode.UNAVAILABLE):
        getattr(store, call)(given, deadline=soon())

    assert not getattr(store, call)(given, deadline=soon())


@pytest.mark.parametrize(
    "edit",
    [lambda body: body[:-1], lambda body: b"{}", lambda body: b"[]", lambda body: b'{"value": null}'],
)
def test_a_page_that_cannot_be_read_is_an_error(store, proxy, edit):
    store.put(RECORDS, deadline=soon())
    proxy.planned.append(edited(edit))

    with refused(ErrorCode.UNAVAILABLE):
        store.query("p", limit=10, deadline=soon())


def headers_of_parts(body):
    """Return the headers of the requests in a transaction that do not name the client."""
    requests = re.findall(rb"(?:PUT|POST|DELETE|PATCH) [^\r]* HTTP/1.1\r\n(.*?)\r\n\r\n", body, re.DOTALL)
    parts = [dict(line.split(b": ", 1) for line in one.split(b"\r\n")) for one in requests]
    return [{name.decode().lower(): value.decode() for name, value in part.items()} for part in parts]


def test_a_part_says_all_that_microsofts_client_says(store, proxy, through, project):
    sent = []

    def heard(request, forward):
        sent.append(headers_of_parts(request.body))
        return forward(request)

    proxy.planned.append(heard)
    with TableClient.from_connection_string(through[1], project) as client:
        entities = [{"PartitionKey": "p", "RowKey": sort, "d0": b"x"} for sort in "ab"]
        client.submit_transaction([("upsert", one, {"mode": "replace"}) for one in entities])
    proxy.planned.append(heard)
    store.put(RECORDS[:2], deadline=soon())

    theirs, ours = sent
    assert len(theirs) == len(ours) == 2
    for their, our in zip(theirs, ours, strict=True):
        assert their["dataserviceversion"].rstrip(";") == our["dataserviceversion"]
        assert {"content-length", "x-ms-version", "dataserviceversion"} <= their.keys() & our.keys()
