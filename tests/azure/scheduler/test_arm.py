"""That what stands for Resource Manager can be taken for it by Microsoft's own client of it."""

import json
import sys

import pytest

from azure.arm import GROUP, SUBSCRIPTION, TOKEN
from wheels import Environment, uv

pytestmark = pytest.mark.slow  # the client is installed apart

SCRIPT = """
import json, sys
from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.web import WebSiteManagementClient
from azure.mgmt.web.models import StringDictionary

url, token, subscription, group, app = sys.argv[1:]

class Credential:
    def get_token(self, *scopes, **_):
        return AccessToken(token, 4102444800)

web = WebSiteManagementClient(Credential(), subscription, base_url=url, api_version="2024-04-01").web_apps
plain = {"enforce_https": False}
before = web.list_application_settings(group, app, **plain).properties
told = StringDictionary(properties={**before, "A": "1"})
written = web.update_application_settings(group, app, told, **plain).properties
web.sync_function_triggers(group, app, **plain)
site = web.get(group, app, **plain)
functions = [(one.name, one.is_disabled) for one in web.list_functions(group, app, **plain)]
try:
    web.get(group, "nowhere", **plain)
except ResourceNotFoundError as error:
    missing = error.error.code
print(json.dumps([before, written, site.state, site.location, functions, missing]))
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The official client, in its locked version."""
    folder = tmp_path_factory.mktemp("management")
    environment = Environment(folder, sys.executable)
    uv("export", "--frozen", "--only-group", "azure-management", "--output-file", folder / "requirements.txt")
    environment.install("--requirements", folder / "requirements.txt")
    return environment


def test_the_official_client_reads_and_writes_it(client, arm, project):
    (client.folder / "script.py").write_text(SCRIPT, encoding="utf-8")
    with arm.project(project) as (app, _):
        arm.apps[app].functions = {"timer-drain": False}

        printed = client.run(
            "python", "-W", "default", client.folder / "script.py", arm.url, TOKEN, SUBSCRIPTION, GROUP, app
        )

        settings = {"FUNCTIONS_EXTENSION_VERSION": "~4"}
        functions = [[f"{app}/timer-drain", False]]
        expected = [settings, settings | {"A": "1"}, "Running", "UK South", functions, "ResourceNotFound"]
        assert json.loads(printed) == expected
        assert (arm.apps[app].writes, arm.apps[app].synced) == (1, 1)
