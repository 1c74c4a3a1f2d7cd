"""What the driver says of its table, and to whom."""

from datetime import UTC, datetime

import pytest

from aws.tables import table_at
from tuppence import plugins
from tuppence.config import load
from tuppence.drivers import Key, Kind, Record, Role
from tuppence.errors import ConfigError, DriverError, ErrorCode
from tuppence.testing.contract import failures
from tuppence_aws.items import ITEM_BYTES, MANY_ATTRIBUTES, MAX_ITEM, weight


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ttl": None}, "no time to live on `e`; `tuppence deploy`"),
        ({"ttl": "expires"}, "no time to live on `e`; `tuppence deploy`"),
        ({"keys": (("p", "HASH"), ("at", "RANGE"))}, "its keys are not the strings p and s"),
        ({"keys": (("p", "HASH"),)}, "its keys are not the strings p and s"),
    ],
)
def test_a_table_that_is_not_as_it_should_be_is_refused_in_words(
    ministack_url, project, opened, wrong, words
):
    driver = opened(ministack_url)

    with table_at(ministack_url, f"tuppence-{project}", **wrong), pytest.raises(DriverError) as caught:
        driver.check()

    assert caught.value.code is ErrorCode.INVALID
    assert words in caught.value.message


def test_a_missing_table_is_named_with_what_creates_it(ministack_url, project, opened, soon):
    driver = opened(ministack_url)

    with pytest.raises(DriverError) as caught:
        driver.get([Key(partition="p", sort="s")], deadline=soon())

    assert f"there is no table tuppence-{project}; `tuppence deploy` creates it" in str(caught.value)


@pytest.mark.parametrize("name", ["my table", "ab", "a" * 256, "tuppence/bot"])
def test_a_name_no_table_can_have_is_a_mistake_in_the_configuration(tmp_path, name):
    file = tmp_path / "tuppence.toml"
    file.write_text(f'[store]\ntable = "{name}"\n')
    config = load(file)

    with pytest.raises(ConfigError, match=r"tuppence\.toml: store: .* cannot be a table's name"):
        config.options(Kind.STORE, plugins.load().driver_class(Kind.STORE, "aws").Options)


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        (Role.PRODUCER, set()),
        (Role.PROCESSOR, {"BatchGetItem", "BatchWriteItem", "DeleteItem", "PutItem", "Query"}),
        (Role.REPORTER, {"BatchGetItem", "BatchWriteItem", "PutItem", "Query"}),
    ],
)
def test_each_role_may_do_what_it_calls_and_nothing_else(opened, project, role, actions):
    permissions = opened("", region="eu-west-2").permissions(role)

    assert {one.action for one in permissions} == {f"dynamodb:{action}" for action in actions}
    assert {one.resource for one in permissions} <= {f"arn:aws:dynamodb:eu-west-2:*:table/tuppence-{project}"}


def full(attributes):
    """Return a record of the largest size, with so many attributes and an expiry of many digits."""
    named = {f"n{number:04}": "" for number in range(attributes)}
    empty = Record(
        key=Key(partition="p", sort="s"),
        body=b"",
        attributes=named,
        expires_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    )
    body = bytes(ITEM_BYTES - empty.size)
    return Record(key=empty.key, body=body, attributes=named, expires_at=empty.expires_at)


def test_the_largest_record_fits_with_all_that_is_added_to_it(opened, ministack_url, table, soon):
    driver, record = opened(ministack_url), full(MANY_ATTRIBUTES)

    written = driver.put([record], deadline=soon())
    (read,) = driver.get([record.key], deadline=soon())

    assert weight(record) == MAX_ITEM
    assert not written
    assert (read.body, read.attributes, read.expires_at) == (
        record.body,
        record.attributes,
        record.expires_at,
    )


def test_attributes_that_make_an_item_too_large_are_refused_before_the_service_does(
    opened, ministack_url, table, soon
):
    driver = opened(ministack_url)
    small = Record(key=Key(partition="p", sort="small"), body=b"x")

    errors = driver.put([full(MANY_ATTRIBUTES + 1), small], deadline=soon())

    assert failures(errors) == [(0, ErrorCode.TOO_LARGE)]
    assert driver.get([small.key], deadline=soon()) != [None]


def test_a_cursor_belongs_to_one_partition_and_range(opened, ministack_url, table, soon):
    driver = opened(ministack_url)
    driver.put([Record(key=Key(partition="p", sort=sort), body=b"x") for sort in "abcd"], deadline=soon())
    page = driver.query("p", start="a", end="d", limit=1, deadline=soon())

    for partition, start, end in [("q", "a", "d"), ("p", "b", "d"), ("p", "a", "c"), ("p", "", "")]:
        with pytest.raises(DriverError) as caught:
            driver.query(partition, start=start, end=end, limit=1, cursor=page.cursor, deadline=soon())
        assert caught.value.code is ErrorCode.INVALID
