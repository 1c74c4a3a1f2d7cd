import pytest

from tuppence.config import load
from tuppence.runtime import Runtime
from tuppence_gcp.deploy import GcpDeployer

CONFIGURATION = """\
provider = "gcp"
project = "mybot"
timezone = "Europe/London"

[report]
to = ["me@example.com"]
sender = "me@example.com"

[mailer]
provider = "local"

[store]
blobs = "gs://mybot-bodies"
"""


@pytest.fixture
def deployer(tmp_path):
    """Return a deployer for a configuration and an environment; no call is made."""
    place = tmp_path / "tuppence.toml"
    place.write_text(CONFIGURATION, encoding="utf-8")
    built = []

    def deployer(**environ):
        built.append(Runtime(load(place, environ=environ)))
        return GcpDeployer(built[-1], say=print)

    yield deployer
    for runtime in built:
        runtime.close()
