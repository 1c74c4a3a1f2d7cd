"""Our signatures against the SDK's, and against a service that checks them."""

import string
from datetime import UTC, datetime
from unittest.mock import patch

import boto3
import pytest
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from hypothesis import given, settings
from hypothesis import strategies as st

from tuppence.drivers import Message
from tuppence.errors import DriverError, ErrorCode
from tuppence_aws.signature import Credentials, signed

LETTERS = string.ascii_letters + string.digits
TEXT = st.text(string.printable.translate({ord(c): None for c in "\r\n\x0b\x0c\t"}), min_size=1, max_size=40)
NAMES = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=20).map("x-".__add__)


@settings(max_examples=500, deadline=None)
@given(
    host=st.from_regex(r"[a-z0-9-]{1,20}\.example\.com(:\d{2,5})?", fullmatch=True),
    others=st.dictionaries(NAMES.filter(lambda name: name != "x-amz-date"), TEXT, max_size=4),
    body=st.binary(max_size=300),
    who=st.builds(
        Credentials,
        access_key=st.text(LETTERS, min_size=16, max_size=20),
        secret_key=st.text(LETTERS + "+/", min_size=1, max_size=60),
        token=st.text(LETTERS + "+/=", max_size=200),
    ),
    region=st.from_regex(r"[a-z]{2}-[a-z]{4,9}-[1-9]", fullmatch=True),
    service=st.sampled_from(["sqs", "dynamodb", "lambda"]),
    now=st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_our_signature_is_the_sdks(host, others, body, who, region, service, now):
    theirs = AWSRequest("POST", f"https://{host}/", headers={"host": host, **others}, data=body)
    known = TheirCredentials(who.access_key, who.secret_key, who.token or None)
    with patch.object(auth, "get_current_datetime", return_value=now):
        auth.SigV4Auth(known, service, region).add_auth(theirs)

    ours = signed({"host": host, **others}, body, credentials=who, region=region, service=service, now=now)

    assert ours["authorization"] == theirs.headers["Authorization"]
    assert ours["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


def test_a_representation_shows_no_secret():
    told = repr(Credentials(access_key="AKIA", secret_key="hidden", token="concealed"))

    assert "AKIA" in told
    assert "hidden" not in told
    assert "concealed" not in told


def test_a_service_that_checks_takes_the_right_secret_and_no_other(
    queue, service, soon, project, monkeypatch
):

    iam = boto3.client("iam", endpoint_url=queue.options.endpoint)
    iam.create_user(UserName=project)
    allowed = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sqs:*","Resource":"*"}]}'
    iam.put_user_policy(UserName=project, PolicyName="all", PolicyDocument=allowed)
    key = iam.create_access_key(UserName=project)["AccessKey"]
    iam.close()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")

    with pytest.raises(DriverError) as refused:
        queue.send([Message(id="a", body=b"x")], deadline=soon())
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    sent = queue.send([Message(id="a", body=b"x")], deadline=soon())

    assert refused.value.code is ErrorCode.UNAUTHENTICATED
    assert "the secret key is not the one that belongs" in str(refused.value)
    assert not sent
