"""Where credentials come from, over HTTP where they do, and that nobody waits for them for long."""

import json
import sys
from datetime import timedelta

import pytest

from aws.faulty import Answer, error_of
from tuppence.clock import Deadline
from tuppence.drivers import Message
from tuppence.errors import DriverError, ErrorCode
from tuppence.testing import ManualClock
from tuppence.testing.contract import refused
from tuppence_aws.credentials import CredentialChain

HOUR = timedelta(hours=1)
ROLES = "/latest/meta-data/iam/security-credentials/"


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    """Let nothing be set up, but what a test sets up."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name)


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def find(clock):
    """Return what finds credentials, always through the same chain."""
    chain = CredentialChain("", clock)
    return lambda: chain.get("queue.send", Deadline.after(10, clock))


class Endpoint:
    """What a machine's endpoint answers with: keys with a number, which expire after an hour."""

    def __init__(self, clock):
        self.clock = clock
        self.requests = []
        self.status = 200
        self.number = 0

    def __call__(self, request):
        self.requests.append(request)
        told = {name.lower(): value for name, value in request.headers.items()}
        if request.method == "PUT":
            return Answer(self.status, {}, b"a-token")
        if request.path == ROLES:
            return Answer(200 if told.get("x-aws-ec2-metadata-token") == "a-token" else 401, {}, b"a-role\n")
        self.number += 1
        expires = (self.clock.now() + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
        keys = {"AccessKeyId": f"key{self.number}", "SecretAccessKey": "secret", "Token": "token"}
        return Answer(
            self.status, {}, json.dumps({**keys, "Expiration": expires, "Code": "Success"}).encode()
        )


@pytest.fixture
def endpoint(clock):
    return Endpoint(clock)


@pytest.fixture(params=["instance", "container", "container by token file"])
def machine(request, endpoint, stand_in, monkeypatch, tmp_path):
    """Let the machine be one that has a role."""
    url = stand_in(endpoint)
    if request.param == "instance":
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
    else:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/v1/credentials?a=b")
    if request.param == "container by token file":
        (tmp_path / "token").write_text("shown\n")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    return request.param


def test_the_environment_comes_first_and_is_read_each_time(find, machine, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "one")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    first = find()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "two")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "t")
    second = find()

    assert (first.access_key, first.token) == ("one", "")
    assert (second.access_key, second.token) == ("two", "t")


def test_a_machines_role_is_asked_once_and_again_before_it_expires(find, machine, endpoint, clock):
    first = find()
    clock.advance(HOUR - timedelta(minutes=6))
    still = find()
    clock.advance(timedelta(minutes=2))
    renewed = find()

    assert first == still
    assert (first.access_key, first.secret_key, first.token) == ("key1", "secret", "token")
    assert renewed.access_key == "key2"


def test_the_container_is_shown_its_token_and_asked_for_the_whole_path(find, machine, endpoint):
    find()

    asked = endpoint.requests[-1]
    told = {name.lower(): value for name, value in asked.headers.items()}
    assert asked.path == (f"{ROLES}a-role" if machine == "instance" else "/v1/credentials?a=b")
    assert told.get("authorization") == ("shown" if machine == "container by token file" else None)


def test_while_the_endpoint_fails_what_has_not_expired_serves_on(find, machine, endpoint, clock):
    first = find()
    endpoint.status = 500
    clock.advance(HOUR - timedelta(minutes=2))
    still = find()
    asked = len(endpoint.requests)
    again = find()
    clock.advance(timedelta(minutes=3))

    assert first == still == again
    assert len(endpoint.requests) == asked
    with refused(ErrorCode.UNAVAILABLE):
        find()


def test_credentials_that_the_service_refuses_are_found_anew(clock, machine, endpoint):
    chain = CredentialChain("", clock)
    chain.get("queue.send", Deadline.after(10, clock))

    chain.forget()

    assert chain.get("queue.send", Deadline.after(10, clock)).access_key == "key2"


def test_a_call_after_a_refused_one_is_signed_with_what_is_found_anew(machine, opened, stand_in, clock):
    signed = []

    def answer(request):
        told = {name.lower(): value for name, value in request.headers.items()}
        signed.append(told["authorization"].partition("Credential=")[2].partition("/")[0])
        return error_of(400, "ExpiredTokenException") if len(signed) == 1 else Answer(200, {}, b"{}")

    queue = opened(stand_in(answer))
    with refused(ErrorCode.UNAUTHENTICATED):
        queue.send([Message(id="a", body=b"x")], deadline=Deadline.after(10, clock))
    queue.send([Message(id="a", body=b"x")], deadline=Deadline.after(10, clock))

    assert signed == ["key1", "key2"]


@pytest.mark.parametrize("answer", [b"", b"[]", b"<html>", b'{"Code": "Failed"}'])
def test_an_endpoint_that_answers_with_something_else_is_no_source(find, stand_in, monkeypatch, answer):
    url = stand_in(lambda _: Answer(200, {}, answer))
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)

    with refused(ErrorCode.UNAUTHENTICATED):
        find()


@pytest.mark.parametrize("address", ["http://example.com/", "http://169.254.170.2.example.com/"])
def test_credentials_are_not_asked_of_a_stranger(find, monkeypatch, address):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)

    with refused(ErrorCode.UNAUTHENTICATED) as caught:
        find()

    assert "must be https" in str(caught.value)


def test_a_token_with_a_line_break_is_not_shown_to_anyone(find, monkeypatch, stand_in, endpoint):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", stand_in(endpoint))
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\nX-Other: b")

    with refused(ErrorCode.UNAUTHENTICATED):
        find()

    assert not endpoint.requests


def test_a_container_whose_endpoint_is_away_may_find_it_later(find, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/")

    with refused(ErrorCode.UNAVAILABLE):
        find()


def test_a_machine_that_is_none_of_ec2_has_no_credentials(find, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")

    with refused(ErrorCode.UNAUTHENTICATED):
        find()


def test_where_nothing_is_set_up_it_says_what_to_do(find, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with refused(ErrorCode.UNAUTHENTICATED) as caught:
        find()

    assert "AWS_PROFILE" in str(caught.value)


@pytest.fixture
def profiles(monkeypatch, tmp_path):
    """Write profiles that only the SDK understands: one asks a program, one is missing its keys."""
    program = tmp_path / "program.py"
    keys = {"Version": 1, "AccessKeyId": "from-a-program", "SecretAccessKey": "s", "SessionToken": "t"}
    program.write_text(f"print({json.dumps(json.dumps(keys))})")
    path = tmp_path / "config"
    path.write_text(
        f"[profile work]\nregion = eu-west-1\ncredential_process = {sys.executable} {program}\n"
        "[profile empty]\nregion = eu-west-1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def test_a_profile_is_left_to_the_sdk(profiles, clock, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "not-asked")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")

    found = CredentialChain("work", clock).get("queue.send", Deadline.after(10, clock))

    assert (found.access_key, found.token) == ("from-a-program", "t")


def test_a_profile_from_the_environment_is_left_to_the_sdk(profiles, find, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "work")

    assert find().access_key == "from-a-program"


@pytest.mark.parametrize("profile", ["empty", "nowhere"])
def test_a_profile_without_credentials_is_told_of(profiles, clock, profile):
    with pytest.raises(DriverError) as caught:
        CredentialChain(profile, clock).get("queue.send", Deadline.after(10, clock))

    assert caught.value.code is ErrorCode.UNAUTHENTICATED


def test_the_region_of_a_profile_is_the_queues(profiles, opened, stand_in, monkeypatch, clock):
    asked = []

    def answer(request):
        asked.append({name.lower(): value for name, value in request.headers.items()})
        return Answer(200, {}, b"{}")

    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    queue = opened(stand_in(answer), profile="work")
    queue.send([Message(id="a", body=b"x")], deadline=Deadline.after(10, clock))

    assert "/eu-west-1/sqs/aws4_request" in asked[0]["authorization"]


@pytest.mark.usefixtures("homeless")
def test_a_user_without_a_home_has_the_role_of_the_machine(find, machine):
    assert find().access_key
