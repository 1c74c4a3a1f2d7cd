"""The variables of the module, for configurations of a project; no call is made."""

import pytest

from tuppence.config import load
from tuppence.runtime import Runtime
from tuppence_azure.deploy import AzureDeployer

SUBSCRIPTION = "34adfa4f-cedf-4dc0-ba29-b6d1a69ab345"
CONFIGURATION = """\
provider = "azure"
project = "my_bot"
timezone = "Europe/London"

[report]
to = ["me@example.com"]
sender = "bot@example.com"

[queue]
{queue}

[store]
account = "mybot"

[compute]
location = "uksouth"
{compute}

[mailer]
endpoint = "https://mail.communication.azure.com"
"""
QUEUES = {
    "service_bus": 'namespace = "mybotspace"',
    "storage": 'service = "storage"\naccount = "mybot"',
}


@pytest.fixture
def variables(tmp_path):
    """Return the module's variables, or Terraform's settings, for a configuration."""

    def variables(queue=QUEUES["service_bus"], compute="", *, environ=None, part="variables"):
        place = tmp_path / "tuppence.toml"
        place.write_text(CONFIGURATION.format(queue=queue, compute=compute), encoding="utf-8")
        told = {
            "TUPPENCE_COMPUTE__SUBSCRIPTION": SUBSCRIPTION,
            "TUPPENCE_SCHEDULER__SUBSCRIPTION": SUBSCRIPTION,
        }
        with Runtime(load(place, environ=told | (environ or {}))) as runtime:
            deployer = AzureDeployer(runtime, say=print)
            return deployer.settings() if part == "settings" else deployer.variables(tmp_path, destroy=True)

    return variables
