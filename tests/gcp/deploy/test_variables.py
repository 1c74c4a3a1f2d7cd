from __future__ import annotations

import pytest

from tuppence.errors import ConfigError
from tuppence_gcp.deploy import grants

HERE = "projects/proj"


@pytest.fixture
def variables(deployer, tmp_path):
    return lambda **environ: deployer(**environ).variables(tmp_path, destroy=True)


def test_names_and_sizes_are_those_the_drivers_use(variables):
    found = variables(
        TUPPENCE_QUEUE__QUEUE="asked", TUPPENCE_COMPUTE__MEMORY="1024", TUPPENCE_COMPUTE__TIMEOUT="2m"
    )

    assert (found["queue"], found["dead_letters"]) == ("asked", "tuppence-mybot-dead")
    assert (found["memory"], found["timeout"]) == (1024, 120)
    assert (found["blobs"], found["collection"]) == ("mybot-bodies", "tuppence-mybot")
    assert found["source_bucket"] == "proj-tuppence-mybot-source"


def test_each_function_has_an_account_and_the_address_that_schedules_call(variables):
    found = variables()["functions"]

    assert list(found) == ["drain", "seal", "report"]
    assert found["report"] == {
        "name": "tuppence-mybot-report",
        "account": "tuppence-mybot-report",
        "role": "reporter",
        "url": "https://us-central1-proj.cloudfunctions.net/tuppence-mybot-report",
    }


def test_a_consumer_is_there_only_where_pubsub_calls(variables):
    assert "consume" in variables(TUPPENCE_PIPELINE__TRIGGER="event")["functions"]


@pytest.mark.parametrize(
    ("mailer", "secrets"),
    [
        ({"PROVIDER": "local"}, {}),
        ({"PROVIDER": "gcp"}, {"SENDGRID_API_KEY": "tuppence-mybot-sendgrid-api-key"}),
        ({"PROVIDER": "gcp", "SERVICE": "resend"}, {"RESEND_API_KEY": "tuppence-mybot-resend-api-key"}),
    ],
    ids=str,
)
def test_what_mail_needs_to_know_is_named_and_not_told(variables, mailer, secrets):
    told = {f"TUPPENCE_MAILER__{key}": value for key, value in mailer.items()}

    assert variables(**told)["secrets"] == secrets


def test_a_secret_that_the_configuration_names_is_known_by_that_name(deployer, tmp_path):
    made = deployer()
    text = (tmp_path / "tuppence.toml").read_text(encoding="utf-8")
    with_login = text.replace('provider = "local"', 'provider = "local"\npassword = {env = "SMTP_PASSWORD"}')
    (tmp_path / "tuppence.toml").write_text(with_login, encoding="utf-8")

    assert made.variables(tmp_path, destroy=True)["secrets"] == {}
    assert deployer().variables(tmp_path, destroy=True)["secrets"] == {
        "SMTP_PASSWORD": "tuppence-mybot-smtp-password"
    }


def test_accounts_have_names_that_google_takes(variables):
    found = variables(TUPPENCE_PROJECT="a-project-whose-name-is-rather-long")

    names = [one["account"] for one in found["functions"].values()] + [
        found["invoke_account"],
        found["build_account"],
    ]
    assert len(set(names)) == len(names)
    assert all(6 <= len(name) <= 30 for name in names)


def test_a_producer_may_send_to_one_topic_and_nothing_else(variables):
    assert variables()["permissions"]["producer"] == [
        {"kind": "topic", "name": "tuppence-mybot", "actions": ["pubsub.topics.publish"]}
    ]


@pytest.mark.parametrize("role", ["producer", "processor", "reporter"])
def test_no_role_is_allowed_everything_of_a_service_or_a_resource(variables, role):
    found = variables()["permissions"][role]

    assert not [action for one in found for action in one["actions"] if "*" in action]
    assert not [one for one in found if "*" in one["name"]]
    assert [one["actions"] for one in found if one["kind"] == "project"] in (
        [],
        [["monitoring.timeSeries.list"]],
    )


def test_a_reporter_deletes_nothing_and_receives_nothing(variables):
    actions = {action for one in variables()["permissions"]["reporter"] for action in one["actions"]}

    assert not [action for action in actions if "delete" in action or "consume" in action]
    assert [action for action in actions if "pubsub" in action] == ["pubsub.subscriptions.get"]


def test_what_is_allowed_is_bound_to_resources():
    asked = [("b", f"{HERE}/topics/x"), ("a", f"{HERE}/topics/x"), ("c", "projects/_/buckets/y"), ("d", HERE)]

    assert grants({"action": action, "resource": resource} for action, resource in asked) == [
        {"kind": "bucket", "name": "y", "actions": ["c"]},
        {"kind": "project", "name": "", "actions": ["d"]},
        {"kind": "topic", "name": "x", "actions": ["a", "b"]},
    ]


def test_what_cannot_be_bound_is_not_left_out():
    with pytest.raises(ValueError, match="no resource"):
        grants([{"action": "a", "resource": "organizations/1"}])


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"TUPPENCE_STORE__PROVIDER": "local"}, "store comes from 'local'; functions on gcp need"),
        (
            {"TUPPENCE_QUEUE__PROJECT_ID": "other"},
            "`project_id` must be the same for all four: queue 'other'",
        ),
        (
            {"TUPPENCE_COMPUTE__REGION": "europe-west2"},
            "`region` must be the same for both: compute 'europe-west2'",
        ),
        ({"TUPPENCE_COMPUTE__CERTIFICATES": "http://127.0.0.1:1/c"}, "`certificates` are an emulator's"),
        (
            {"TUPPENCE_COMPUTE__INVOKER": "a@b", "TUPPENCE_SCHEDULER__INVOKER": "a@b"},
            "`invoker` is made by `tuppence deploy`",
        ),
    ],
    ids=["store", "project", "region", "certificates", "invoker"],
)
def test_what_could_not_work_together_is_refused(variables, environ, words):
    with pytest.raises(ConfigError, match=words):
        variables(**environ)


def test_terraform_is_sent_where_the_drivers_are(deployer):
    assert deployer().settings() == {"google": {"project": "proj", "region": "us-central1"}}


def test_what_is_left_is_said(deployer):
    assert any("stay enabled" in sentence for sentence in deployer().kept())
