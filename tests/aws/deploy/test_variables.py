from __future__ import annotations

import re

import pytest

from tuppence.config import load
from tuppence.errors import ConfigError
from tuppence.runtime import Runtime
from tuppence_aws.deploy import AwsDeployer

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def variables(write, tmp_path):
    """Return the module's variables for a configuration; no call is made, as nobody listens."""

    def call(environ=None, *, part="variables", **changed):
        environ = environ or {}
        with Runtime(load(write(NOWHERE, **changed), environ=environ)) as runtime:
            deployer = AwsDeployer(runtime, say=print)
            return deployer.settings() if part == "settings" else deployer.variables(tmp_path, destroy=True)

    return call


def test_names_and_sizes_are_those_the_drivers_use(variables):
    found = variables(
        queue='queue = "asked.fifo"\n', store="read_units = 5\n", compute='memory = 1024\ntimeout = "2m"\n'
    )

    assert (found["queue"], found["read_units"], found["write_units"]) == ("asked.fifo", 5, 25)
    assert (found["memory"], found["timeout"]) == (1024, 120)


def test_each_variable_is_one_of_the_modules_and_none_without_a_default_is_left_out(variables):
    text = (AwsDeployer.module / "variables.tf").read_text(encoding="utf-8")
    blocks = re.findall(r'^variable "(\w+)" \{(.*?)^\}', text, re.MULTILINE | re.DOTALL)

    given = set(variables())

    assert given <= {name for name, _ in blocks}
    assert given >= {name for name, block in blocks if "default" not in block}


def test_a_producer_may_send_to_one_queue_and_nothing_else(variables, project):
    found = variables()["permissions"]["producer"]

    assert found == [
        {"action": "sqs:SendMessage", "resource": f"arn:aws:sqs:eu-west-2:*:tuppence-{project}.fifo"}
    ]


@pytest.mark.parametrize("role", ["producer", "processor", "reporter"])
def test_no_role_is_allowed_everything_of_a_service_or_a_kind(variables, role):
    allowed = variables()["permissions"][role]

    broad = {one["resource"] for one in allowed if one["resource"].endswith("*")}
    assert not [one for one in allowed if "*" in one["action"]]
    assert broad <= {"arn:aws:ses:eu-west-2:*:identity/*"}  # as whom a report is sent is the report's to say


def test_functions_on_aws_need_their_parts_there_too(variables):
    with pytest.raises(ConfigError, match="store comes from 'local'; functions on aws need"):
        variables({"TUPPENCE_STORE__PROVIDER": "local"})


def test_parts_in_two_regions_are_refused(variables):
    with pytest.raises(ConfigError, match="`region` must be the same for all four: queue 'eu-west-1'"):
        variables({"TUPPENCE_QUEUE__REGION": "eu-west-1"})


def test_mail_may_go_another_way(variables):
    found = variables({"TUPPENCE_MAILER__PROVIDER": "local"})

    assert found["permissions"]["reporter"]


def test_terraform_is_sent_where_the_drivers_are(variables):
    found = variables(part="settings")["aws"]

    assert found["region"] == "eu-west-2"
    assert set(found["endpoints"].values()) == {NOWHERE}
