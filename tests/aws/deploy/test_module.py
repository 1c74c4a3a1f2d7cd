from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tuppence_aws.deploy import AwsDeployer


def call(terraform, folder, *arguments):
    program, settings = terraform
    return subprocess.run(
        [program, *arguments],
        check=False,
        cwd=folder,
        env=os.environ | {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"},
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_the_module_is_valid(terraform, tmp_path):
    folder = shutil.copytree(AwsDeployer.module, tmp_path / "module")

    started = call(terraform, folder, "init", "-backend=false", "-input=false")
    checked = call(terraform, folder, "validate", "-no-color")

    assert started.returncode == 0, started.stderr
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_module_is_formatted(terraform):
    result = call(terraform, AwsDeployer.module, "fmt", "-check", "-diff")

    assert result.returncode == 0, result.stdout
