"""What an application pays that sends to a Storage Queue."""

import os
import subprocess
import sys

from azure.queues import queue_at

SCRIPT = """
import sys
import tuppence

with tuppence.Client(
    provider="azure",
    project="{project}",
    capture={{"directory": "journal"}},
    queue={{"service": "storage", "connection_string": {{"env": "AZURITE"}}}},
) as client:
    client.capture("visit")
    assert client.flush(timeout=30)
print(*({{"azure", "requests", "msal", "cryptography"}} & set(sys.modules)), sep=",")
"""


def test_sending_with_a_key_loads_no_sdk(connection_string, project, tmp_path):
    with queue_at(connection_string, f"tuppence-{project}") as client:
        finished = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(project=project)],
            cwd=tmp_path,
            env={**os.environ, "AZURITE": connection_string},
            check=True,
            capture_output=True,
            text=True,
        )

        assert finished.stdout.strip() == ""
        assert len(client.peek_messages()) == 1
