"""The module as far as it can be checked without Terraform's provider for Azure, which is not to be had here.

So nothing has checked the names of arguments: that it parses, is formatted, and names only what there is.
"""

import json
import os
import re
import shutil
import subprocess

import hcl2
import pytest

from azure.deploy.conftest import QUEUES
from tuppence_azure.deploy import AzureDeployer

TEXTS = {place.name: place.read_text(encoding="utf-8") for place in sorted(AzureDeployer.module.glob("*.tf"))}
PARSED = {name: hcl2.loads(text) for name, text in TEXTS.items()}
CODE = "\n".join(re.sub(r"(?m)(^|\s)#.*$", "", text) for text in TEXTS.values())


def blocks(kind):
    """Return all blocks of a kind, in the order of the files."""
    return [block for document in PARSED.values() for block in document.get(kind, ())]


def names(kind):
    return {name for block in blocks(kind) for name in block}


@pytest.fixture
def terraform():
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        pytest.skip("needs terraform or tofu on the PATH")

    def terraform(folder, *arguments):
        environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
        return subprocess.run(
            [program, *arguments], check=False, cwd=folder, env=environment, capture_output=True, text=True
        )

    return terraform


def test_the_module_is_formatted(terraform):
    result = terraform(AzureDeployer.module, "fmt", "-check", "-diff")

    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("queue", QUEUES.values(), ids=QUEUES)
def test_each_variable_is_given_or_has_a_default_and_none_is_given_beside(variables, queue):
    declared = {name: about for block in blocks("variable") for name, about in block.items()}

    given = set(variables(queue))

    assert given <= set(declared)
    assert given >= {name for name, about in declared.items() if "default" not in about}


def test_every_reference_is_to_something_that_is_declared_and_nothing_is_declared_for_nothing():
    resources = {
        f"{kind}.{name}" for block in blocks("resource") for kind, named in block.items() for name in named
    }
    data = {
        f"data.{kind}.{name}" for block in blocks("data") for kind, named in block.items() for name in named
    }

    assert set(re.findall(r"\bvar\.(\w+)", CODE)) == names("variable")
    assert set(re.findall(r"\blocal\.(\w+)", CODE)) == names("locals")
    assert set(re.findall(r"\bdata\.\w+\.\w+", CODE)) == data
    assert set(re.findall(r"(?<!data\.)\b(azurerm_\w+\.\w+)", CODE)) <= resources


def test_the_outputs_are_those_that_deployment_and_its_page_name():
    assert names("output") == {"place", "queue", "producer_role", "table", "function_apps"}


def test_what_holds_events_is_known_as_such():
    kinds = {kind for block in blocks("resource") for kind in block}

    assert AzureDeployer.holding <= kinds


def test_nothing_with_a_charge_by_the_month_is_made_unless_it_is_asked_for():
    tiers = ['"FC1"', 'var.detects_duplicates ? "Standard" : "Basic"']
    assert re.findall(r"sku(?:_name)? += (.*)", CODE) == tiers
    assert not re.search(r"azurerm_(log_analytics|application_insights|key_vault|virtual_network)", CODE)
    assert "always_ready" not in CODE


@pytest.mark.parametrize("queue", QUEUES.values(), ids=QUEUES)
def test_each_app_is_let_at_the_one_queue_and_table_that_its_role_names(
    terraform, variables, tmp_path, queue
):
    """Terraform itself works out the module's expressions; only the provider's values are made up."""
    found = variables(queue, compute='mail_group = "mail"')
    locals_ = re.search(r"^locals \{.*?^\}", TEXTS["roles.tf"], re.MULTILINE | re.DOTALL)[0]
    for real, made_up in {
        "azurerm_resource_group.this.name": '"group"',
        "local.subscription": '"sub"',
        "azurerm_storage_container.host": '{ hosts = "hosts" }',
    }.items():
        assert real in locals_ or real.endswith("host")
        locals_ = locals_.replace(real, made_up)
    shown = 'output "work" {\n  value = local.work\n}\noutput "host" {\n  value = local.host\n}\n'
    folder = tmp_path / "module"
    folder.mkdir()
    (folder / "main.tf").write_text(f"{TEXTS['variables.tf']}\n{locals_}\n{shown}", encoding="utf-8")
    (folder / "terraform.tfvars.json").write_text(json.dumps(found), encoding="utf-8")

    applied = terraform(folder, "apply", "-auto-approve", "-input=false", "-no-color")
    told = json.loads(terraform(folder, "output", "-json").stdout)

    assert applied.returncode == 0, applied.stdout + applied.stderr
    work = told["work"]["value"].values()
    scopes = {part: {one["scope"] for one in work if one["part"] == part} for part in found["apps"]}
    group = "/subscriptions/sub/resourceGroups/group/providers"
    account = f"{group}/Microsoft.Storage/storageAccounts/mybot"
    table = f"{account}/tableServices/default/tables/tuppencemybot"
    mail = (
        "/subscriptions/sub/resourceGroups/mail/providers/Microsoft.Communication/communicationServices/mail"
    )
    events = {
        QUEUES["service_bus"]: f"{group}/Microsoft.ServiceBus/namespaces/mybotspace/queues/tuppence-my_bot",
        QUEUES["storage"]: f"{account}/queueServices/default/queues/tuppence-my-bot",
    }
    assert scopes == {"processor": {table, events[queue]}, "reporter": {table, mail, events[queue]}}
    assert len(told["host"]["value"]) == 2
