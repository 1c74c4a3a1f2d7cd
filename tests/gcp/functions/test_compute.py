"""What functions answer where the contract leaves it to Google, and what is said of functions."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gcp.issuer import INVOKER
from gcp.served import EVENT, post, push, served
from tuppence.drivers import Message
from tuppence.errors import ConfigError, DriverError, ErrorCode
from tuppence.findings import State
from tuppence.testing.compute import failed
from tuppence_gcp.compute import CONSUMES, CloudRunCompute

DUE = "2026-11-16T09:30:00Z"
PARTS = ("drain", "seal", "report")


@pytest.fixture
def compute(opened, issuer, functions_service):
    def compute(**options):
        told = {"function_url": "https://x/{function}", "invoker": INVOKER, **options}
        return opened(CloudRunCompute, functions_service.url, certificates=issuer.certificates, **told)

    return compute


@pytest.fixture
def ran(compute, issuer):
    """Return what calls a function with a body; how it was answered, and the runs there were."""

    def ran(body, *, handle=None, **headers):
        seen = []
        with served(compute().runner(handle or seen.append)) as url:
            status, words = post(url, body, {**issuer.bearer("https://x/drain"), **headers})
        return status, words, seen

    return ran


def test_a_run_is_known_by_when_it_was_due(ran):
    status, _, (run,) = ran({"job": "drain"}, **{"X-CloudScheduler-ScheduleTime": DUE})

    assert (status, run.run_id) == (204, f"drain@{DUE}")


def test_runs_that_are_called_by_hand_differ(ran):
    runs = [ran({"job": "drain"})[2][0] for _ in range(2)]

    assert runs[0].run_id != runs[1].run_id


@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"[]", b'{"job": 1}', b'{"jobs": "drain"}', b'{"job": "drain", "payload": "x"}'],
    ids=str,
)
def test_a_request_that_names_no_job_is_refused_with_one_that_does(ran, body):
    status, words, seen = ran(body)

    assert (status, seen) == (400, [])
    assert '{"job": "drain"}' in words


def test_a_job_that_is_none_is_refused_with_those_there_are(ran):
    def handle(_):
        raise ConfigError("there is no job 'drian'; the jobs are drain, seal")

    status, words, _ = ran({"job": "drian"}, handle=handle)

    assert (status, words) == (400, "there is no job 'drian'; the jobs are drain, seal")


def test_a_run_that_failed_is_one_for_the_scheduler_to_repeat_and_its_words_stay_here(ran):
    def handle(_):
        raise DriverError(ErrorCode.THROTTLED, operation="store.put", provider="gcp", message="secret")

    status, words, _ = ran({"job": "drain"}, handle=handle)

    assert status == 500
    assert "secret" not in words


def deliveries(compute, issuer, body, signature="http", answer=()):
    seen = []

    def handle(given):
        seen.extend(given)
        return answer

    headers = issuer.bearer("https://x/consume")
    if signature == "http":
        with served(compute.consumer(handle)) as url:
            status, _ = post(url, body, headers)
    else:
        with served(compute.listener(handle), signature) as url:
            status, _ = post(url, body, {**EVENT, **headers})
    return status, seen


@pytest.mark.parametrize("signature", ["http", "cloudevent"])
def test_a_message_of_another_program_is_its_data_under_the_id_that_pubsub_gave_it(
    compute, issuer, signature
):
    pushed = push(Message(id="x", body=b'{"id": "1"}'), 7)
    pushed["message"]["attributes"] = {"id": "no id!"}

    _, (delivery,) = deliveries(compute(), issuer, pushed, signature)

    assert delivery.message == Message(id="7", body=b'{"id": "1"}')


def test_a_message_says_how_often_it_came_where_pubsub_counts(compute, issuer, clock):
    pushed = push(Message(id="m", body=b"x", lane="a"), deliveryAttempt=3)

    _, (delivery,) = deliveries(compute(), issuer, pushed)

    assert (delivery.attempt, delivery.message.lane) == (3, "a")
    assert delivery.expires - clock.now() <= CONSUMES


@pytest.mark.parametrize("signature", ["http", "cloudevent"])
@pytest.mark.parametrize(
    "body", [{}, {"message": {}}, {"message": {"messageId": "1", "data": "no base64!"}}], ids=str
)
def test_what_holds_no_message_is_refused(compute, issuer, signature, body):
    assert deliveries(compute(), issuer, body, signature) == (400, [])


@pytest.mark.parametrize("signature", ["http", "cloudevent"])
def test_a_message_that_could_not_be_stored_comes_again(compute, issuer, signature):
    status, seen = deliveries(compute(), issuer, push(Message(id="m", body=b"x")), signature, [failed(0)])

    assert (status, len(seen)) == (503, 1)


def test_an_event_without_a_token_is_not_let_in(compute):
    with served(compute().listener(lambda _: ()), "cloudevent") as url:
        status, _ = post(url, push(Message(id="m", body=b"x")), EVENT)

    assert status == 401


def test_functions_that_are_not_there_are_named(compute, functions_service, project):
    functions_service.deploy(project, "seal", "report")

    with pytest.raises(
        DriverError, match=f"tuppence-{project}-drain in us-central1; `tuppence deploy`"
    ) as caught:
        compute().check()

    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_function_that_could_not_be_built_says_why(compute, functions_service, project):
    functions_service.deploy(project, *PARTS)
    functions_service.deploy(project, "seal", state="FAILED", stateMessages=[{"message": "Build failed"}])

    with pytest.raises(DriverError, match=f"tuppence-{project}-seal is FAILED: Build failed"):
        compute().check()


@pytest.mark.parametrize("name", ["a_b", "x" * 47])
def test_a_project_whose_name_is_none_for_a_function_is_refused(functions_service, context, name):

    driver = CloudRunCompute(
        CloudRunCompute.Options(endpoint=functions_service.url), replace(context, project=name)
    )

    with pytest.raises(DriverError, match="choose another `project`"):
        driver.check()


@pytest.mark.parametrize("timeout", [timedelta(0), timedelta(minutes=61)])
def test_a_call_takes_an_hour_at_most(timeout):
    with pytest.raises(ValueError, match="up to 60 minutes"):
        CloudRunCompute.Options(timeout=timeout)


def found(compute, state, soon):
    return [one.detail for one in compute.findings(deadline=soon()) if one.state is state]


def test_the_doctor_finds_nothing_wrong_with_what_was_deployed(compute, functions_service, project, soon):
    functions_service.deploy(project, *PARTS)

    assert found(compute(), State.WRONG, soon) == []
    assert found(compute(), State.OK, soon) == ["project proj, us-central1"] + [
        f"tuppence-{project}-{part} is there, on python313" for part in PARTS
    ]


def test_the_doctor_is_told_of_a_function_that_everybody_may_call(compute, functions_service, project, soon):
    functions_service.deploy(project, *PARTS)
    functions_service.members[f"tuppence-{project}-seal"] += ["allUsers"]

    (wrong,) = found(compute(), State.WRONG, soon)

    assert wrong == f"everybody may call tuppence-{project}-seal: allUsers has roles/run.invoker on it"


def test_the_doctor_is_told_what_is_missing_broken_and_too_patient(compute, functions_service, project, soon):
    functions_service.deploy(project, "drain", state="FAILED", stateMessages=[{"message": "Build failed"}])

    assert found(compute(timeout=timedelta(minutes=45)), State.WRONG, soon) == [
        "a call may take 0:45:00; Cloud Scheduler waits 30 minutes",
        f"tuppence-{project}-drain is FAILED: Build failed",
        f"there is no function tuppence-{project}-seal in us-central1",
        f"there is no function tuppence-{project}-report in us-central1",
    ]
