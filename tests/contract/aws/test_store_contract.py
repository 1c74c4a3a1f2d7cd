from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from aws.tables import table_at
from tuppence.testing import ManualClock, StoreContract, TroubledService
from tuppence.testing.records import DAY
from tuppence_aws.store import DynamoStore


class DynamoContract:
    """A table for each test. Expiry is the driver's own work, so its clock may be moved by hand."""

    __test__ = False

    @pytest.fixture
    def clock(self):
        """Return a clock that is ahead, so that an emulator which deletes what has expired finds nothing."""
        return ManualClock(datetime.now(UTC) + DAY)

    @pytest.fixture
    def open_driver(self, url, project):
        def open_driver(context, *, missing=False):
            table = f"tuppence-{project}-nowhere" if missing else f"tuppence-{project}"
            return DynamoStore(DynamoStore.Options(endpoint=url, table=table), context)

        with table_at(url, f"tuppence-{project}"):
            yield open_driver

    @pytest.fixture
    def open_in_trouble(self, project):
        @contextmanager
        def open_in_trouble(context, trouble):
            with TroubledService(trouble) as (host, port):
                options = DynamoStore.Options(endpoint=f"http://{host}:{port}", table=f"tuppence-{project}")
                yield DynamoStore(options, context)

        return open_in_trouble


class TestDynamoStoreOnMinistack(DynamoContract, StoreContract):
    __test__ = True
    counterpart = "ministack 1.5.33"

    @pytest.fixture
    def url(self, ministack_url):
        return ministack_url


class TestDynamoStoreOnMoto(DynamoContract, StoreContract):
    __test__ = True
    counterpart = "moto 5.2"

    @pytest.fixture
    def url(self, moto_url):
        return moto_url

    @pytest.mark.parametrize("under", [1, 0])
    @pytest.mark.xfail(reason="moto counts the bytes of a body in base64, and to 405,000")
    def test_a_record_within_the_limit_is_taken(self, driver, soon, under):
        super().test_a_record_within_the_limit_is_taken(driver, soon, under)

    @pytest.mark.parametrize("under", [1, 0])
    @pytest.mark.xfail(reason="moto counts the bytes of a body in base64, and to 405,000")
    def test_records_within_the_limit_of_a_call_are_taken(self, driver, soon, under):
        super().test_records_within_the_limit_of_a_call_are_taken(driver, soon, under)

    @pytest.mark.xfail(reason="moto counts the bytes of a body in base64, and to 405,000")
    def test_as_many_of_the_largest_records_as_a_call_holds_are_read_in_one(self, driver, soon):
        super().test_as_many_of_the_largest_records_as_a_call_holds_are_read_in_one(driver, soon)

    @pytest.mark.xfail(reason="moto counts the bytes of a body in base64, and to 405,000")
    def test_pages_of_the_largest_records_hold_everything_once(self, driver, soon):
        super().test_pages_of_the_largest_records_hold_everything_once(driver, soon)
