import pytest

from tuppence.clock import Deadline
from tuppence.errors import DriverError, ErrorCode
from tuppence_aws.session import AwsOptions, Session


@pytest.fixture
def _nothing_set(monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")


@pytest.fixture
def region():
    def region(**options):
        session = Session("dynamodb", AwsOptions(**options))
        client = session.client("store.get", Deadline.after(30))
        found = client.meta.region_name
        session.close()
        return found

    return region


@pytest.mark.usefixtures("_nothing_set")
def test_the_region_is_that_of_the_options_before_that_of_the_environment(region, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-2")

    assert region() == "eu-west-2"
    assert region(region="us-east-1") == "us-east-1"


@pytest.mark.usefixtures("_nothing_set")
def test_without_any_region_it_is_said_what_to_set(region):
    with pytest.raises(DriverError, match="AWS_REGION") as caught:
        region()

    assert caught.value.code is ErrorCode.UNAUTHENTICATED


@pytest.mark.usefixtures("_nothing_set")
def test_a_profile_that_is_not_there_is_said_in_words(region):
    with pytest.raises(DriverError, match="no such profile") as caught:
        region(profile="nobody", region="eu-west-2")

    assert caught.value.code is ErrorCode.UNAUTHENTICATED
