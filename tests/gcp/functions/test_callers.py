"""Whom a function lets in: each thing that a token says, its signature, and where that may be missing."""

import json
from base64 import b64encode

import pytest
from google.auth import crypt

from gcp.issuer import INVOKER, Issuer, key_pair, removed
from gcp.served import post, push, served
from tuppence.drivers import Message
from tuppence_gcp.callers import KEPT, Callers, NotLetIn
from tuppence_gcp.compute import CloudRunCompute

ADDRESS = "https://europe-west2-proj.cloudfunctions.net/tuppence-{project}-{part}"
NOW = 1_800_000_000


@pytest.fixture
def compute(opened, issuer, functions_service):
    return opened(
        CloudRunCompute,
        functions_service.url,
        region="europe-west2",
        invoker=INVOKER,
        certificates=issuer.certificates,
    )


@pytest.fixture
def address(project):
    return lambda part: ADDRESS.format(project=project, part=part)


@pytest.fixture
def called(compute):
    """Return what calls a function that notes its runs, with headers."""
    ran = []

    def called(headers, body=b'{"job": "drain"}'):
        with served(compute.runner(lambda run: ran.append(run.job))) as url:
            return post(url, body, headers)[0], len(ran)

    return called


@pytest.fixture
def _on_cloud_run(monkeypatch, project):
    monkeypatch.setenv("K_SERVICE", f"tuppence-{project}-drain")
    monkeypatch.setenv("K_REVISION", f"tuppence-{project}-drain-00001-abc")


def test_the_invoker_is_let_in(called, issuer, address):
    assert called(issuer.bearer(address("drain"))) == (204, 1)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, "it shows no token"),
        ({"Authorization": "Bearer "}, "it shows no token"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "it shows no token"),
        ({"Authorization": "Bearer secret"}, "it shows no token"),
        ({"Authorization": "Bearer c2Vj.cmV0.eA"}, "has no signature that holds"),
    ],
    ids=["nothing", "empty", "basic", "no token", "no JSON"],
)
def test_who_shows_no_token_is_not_let_in(called, capsys, headers, why):
    assert called(headers) == (401, 0)

    line = json.loads(capsys.readouterr().out)
    assert why in line["message"]
    assert (line["severity"], line["status"]) == ("WARNING", 401)


@pytest.mark.parametrize(
    ("changed", "status", "why"),
    [
        ({"aud": "https://elsewhere"}, 401, "meant for another function"),
        ({"iss": "https://evil.example"}, 401, "not one of Google's"),
        ({"exp": NOW - 10**9, "iat": NOW - 10**9 - 3600}, 401, "has expired"),
        ({"iat": NOW * 2, "exp": NOW * 2 + 60}, 401, "not of this time"),
        ({"email": "someone@example.com"}, 403, f"does not come from {INVOKER}"),
        ({"email_verified": False}, 403, f"does not come from {INVOKER}"),
        ({"email_verified": None}, 403, f"does not come from {INVOKER}"),
        ({"email": None}, 403, f"does not come from {INVOKER}"),
    ],
    ids=["audience", "issuer", "expired", "not yet", "someone", "unverified", "verified by nobody", "nobody"],
)
def test_each_thing_that_a_token_says_is_looked_at(called, issuer, address, capsys, changed, status, why):
    token = issuer.token(address("drain"), **changed)

    assert called({"Authorization": f"Bearer {token}"}) == (status, 0)

    printed = capsys.readouterr().out
    assert why in json.loads(printed)["message"]
    assert not [part for part in token.split(".") if part in printed]


def test_a_token_of_another_signer_is_refused(called, issuer, address):
    other = crypt.RSASigner.from_string(key_pair()[0], "k1")

    assert called(issuer.bearer(address("drain"), by=other)) == (401, 0)


def test_what_a_token_says_cannot_be_changed(called, issuer, address):
    head, said, signature = issuer.token(address("drain"), "someone@example.com").split(".")
    forged = issuer.token(address("drain")).split(".")[1]

    assert said != forged
    assert called({"Authorization": f"Bearer {head}.{forged}.{signature}"}) == (401, 0)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_that_asks_for_no_signature_is_refused(called, issuer, address, algorithm):
    said = issuer.token(address("drain")).split(".")[1]
    head = b64encode(json.dumps({"alg": algorithm, "typ": "JWT", "kid": "k1"}).encode()).decode().rstrip("=")

    assert called({"Authorization": f"Bearer {head}.{said}.AAAA"}) == (401, 0)


def test_a_token_without_its_signature_counts_nowhere_but_on_cloud_run(called, issuer, address):
    token = removed(issuer.token(address("drain")))

    assert called({"Authorization": f"Bearer {token}"}) == (401, 0)


@pytest.mark.usefixtures("_on_cloud_run")
def test_a_token_that_cloud_run_has_looked_at_counts_there(called, issuer, address):
    token = removed(issuer.token(address("drain")))

    assert called({"Authorization": f"Bearer {token}"}) == (204, 1)


@pytest.mark.usefixtures("_on_cloud_run")
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"aud": "https://elsewhere"}, 401),
        ({"iss": "https://evil.example"}, 401),
        ({"exp": NOW - 10**9}, 401),
        ({"exp": None}, 401),
        ({"iat": NOW * 2, "exp": NOW * 2 + 60}, 401),
        ({"email": "someone@example.com"}, 403),
        ({"email_verified": False}, 403),
    ],
    ids=["audience", "issuer", "expired", "for ever", "not yet", "someone", "unverified"],
)
def test_all_else_that_such_a_token_says_is_looked_at_all_the_same(called, issuer, address, changed, status):
    token = removed(issuer.token(address("drain"), **changed))

    assert called({"Authorization": f"Bearer {token}"}) == (status, 0)


@pytest.mark.usefixtures("_on_cloud_run")
def test_on_cloud_run_a_signature_that_is_there_must_hold(called, issuer, address):
    other = crypt.RSASigner.from_string(key_pair()[0], "k1")

    assert called(issuer.bearer(address("drain"), by=other)) == (401, 0)


@pytest.mark.usefixtures("_on_cloud_run")
def test_a_token_for_another_of_our_functions_is_refused_where_it_is_known_which_one_this_is(
    called, issuer, address
):
    assert called(issuer.bearer(address("seal"))) == (401, 0)
    assert called(issuer.bearer(address("drain"))) == (204, 1)


def test_no_option_switches_this_off(issuer):
    for elsewhere in (
        "http://10.0.0.1:80/certs",
        "https://evil.example/certs",
        "http://127.0.0.1.evil.example/",
    ):
        with pytest.raises(ValueError, match="certificates are Google's"):
            CloudRunCompute.Options(certificates=elsewhere)


def test_messages_are_let_in_as_runs_are(compute, issuer, address, project):

    seen = []
    with served(compute.consumer(lambda deliveries: seen.extend(deliveries) or ())) as url:
        message = push(Message(id="m1", body=b"x"))
        statuses = [
            post(url, message, headers)[0]
            for headers in ({}, issuer.bearer(address("consume"), "a@b"), issuer.bearer(address("consume")))
        ]

    assert (statuses, len(seen)) == ([401, 403, 204], 1)


@pytest.fixture
def own():
    """An issuer whom no other test uses."""
    with Issuer().running() as server:
        yield server


def admit(callers, token):
    callers.admit({"Authorization": f"Bearer {token}"}, audiences={"x"}, account=INVOKER)


def test_certificates_are_fetched_once_for_an_hour(own, manual):
    callers = Callers(manual, own.certificates)

    for _ in range(3):
        admit(callers, own.token("x"))
    asked = own.asked
    manual.advance(KEPT)
    admit(callers, own.token("x"))

    assert (asked, own.asked) == (1, 2)


def test_a_new_key_is_known_at_once_and_a_wrong_one_asked_for_once_a_minute(own, manual):
    callers = Callers(manual, own.certificates)
    admit(callers, own.token("x"))
    own.turn()
    with pytest.raises(NotLetIn):
        admit(callers, own.token("x"))

    manual.advance(KEPT / 30)
    admit(callers, own.token("x"))

    for _ in range(5):
        with pytest.raises(NotLetIn):
            admit(callers, own.token("x", by=crypt.RSASigner.from_string(key_pair()[0], "k9")))
    assert own.asked == 2


def test_who_cannot_be_looked_at_may_come_again(own, manual):
    own.silent = True

    with pytest.raises(NotLetIn) as caught:
        admit(Callers(manual, own.certificates), own.token("x"))

    assert caught.value.status == 503
