from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

import pytest

from cli.result import Result
from emulators import UV, ministack
from tuppence.cli.app import run
from tuppence_aws.deploy import AwsDeployer
from tuppence_aws.package import build

MIRROR = "TERRAFORM_MIRROR"
PROVIDER = "registry.terraform.io/hashicorp/aws"
SETTINGS = """\
disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path    = "{mirror}"
    include = ["{provider}"]
  }}
}}
"""
CONFIGURATION = """\
provider = "aws"
project = "{project}"
timezone = "Europe/London"

[pipeline]
every = "1m"
trigger = "{trigger}"

[report]
schedule = "* * * * *"
to = ["me@example.com"]
sender = "me@example.com"
{parts}"""
PART = """
[{kind}]
region = "eu-west-2"
endpoint = "{endpoint}"
"""


def mirror():
    """Return a folder that has Terraform's AWS provider as a mirror does, or `None`.

    Without one Terraform looks in the folders it knows itself, then asks its registry:
    https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories.
    """
    named = os.environ.get(MIRROR)
    places = [Path(named)] if named else sorted(Path("/opt").glob("*"))
    return next((place for place in places if (place / PROVIDER).is_dir()), None)


@pytest.fixture(scope="session")
def ministack_url():
    """Run an emulator on the true time, which functions and tests agree on."""
    with ministack() as url:
        yield url


@pytest.fixture(scope="session")
def terraform(tmp_path_factory):
    """Return the program's name, and settings that find its AWS provider: the user's own, where there are."""
    program = shutil.which("terraform") or shutil.which("tofu")
    if program is None:
        pytest.skip("needs terraform or tofu on the PATH")
    settings = Path(os.environ.get("TF_CLI_CONFIG_FILE") or Path.home() / ".terraformrc")
    if not settings.is_file():
        found = mirror()
        text = SETTINGS.format(mirror=found, provider=PROVIDER) if found else "disable_checkpoint = true\n"
        settings = tmp_path_factory.mktemp("terraform") / "settings.tfrc"
        settings.write_text(text, encoding="utf-8")
    return program, settings


@pytest.fixture
def write(tmp_path, project):
    """Write the configuration of a project on an emulator, and return its place."""

    def call(endpoint, *, trigger="schedule", **changed):
        kinds = ("queue", "store", "compute", "scheduler", "mailer")
        parts = "".join(PART.format(kind=kind, endpoint=endpoint) + changed.get(kind, "") for kind in kinds)
        place = tmp_path / "tuppence.toml"
        text = CONFIGURATION.format(project=project, trigger=trigger, parts=parts)
        place.write_text(text, encoding="utf-8")
        return place

    return call


@pytest.fixture
def tuppence(tmp_path, terraform, capsys, monkeypatch):
    """Run a command line beside the configuration."""
    for name in [name for name in os.environ if name.startswith("TUPPENCE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(terraform[1]))
    monkeypatch.setenv("TUPPENCE_CAPTURE__DIRECTORY", str(tmp_path / "journals"))
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        capsys.readouterr()
        status = run(arguments)
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return call


@pytest.fixture
def package(monkeypatch):
    """Build the functions' package for this Python: the emulator runs them on the one it has itself."""
    here = ".".join(map(str, sys.version_info[:2]))
    processor = "arm64" if platform.machine() == "aarch64" else "x86_64"
    monkeypatch.setenv("PATH", f"{UV.parent}{os.pathsep}{os.environ['PATH']}")

    def package(deployer, folder, _architecture):
        return build(folder, deployer.runtime.config, processor, python=here)

    monkeypatch.setattr(AwsDeployer, "_package", package)
