"""What is in the wheel, and that it works on its own."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = ROOT / ".tools" / "bin" / "uv"
QUIET = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--package", "tuppence", "--out-dir", folder],
        cwd=ROOT, check=True, env=QUIET,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_the_wheel_holds_the_package_its_templates_and_its_types(wheel):
    names = zipfile.ZipFile(wheel).namelist()

    assert "tuppence/py.typed" in names
    assert "tuppence/testing/queue.py" in names
    assert any(name.endswith("report.html.j2") for name in names)
    assert not [name for name in names if name.startswith("tests/")]


@pytest.mark.slow
def test_the_wheel_works_in_a_clean_environment(wheel, tmp_path):
    environment = tmp_path / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True, env=QUIET)
    python = environment / "bin" / "python"
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, wheel], check=True, env=QUIET)

    finished = subprocess.run(
        [environment / "bin" / "tuppence", "demo", "--events", "300", "--output", tmp_path / "demo"],
        cwd=tmp_path, check=False, capture_output=True, text=True,
    )  # fmt: skip

    assert finished.returncode == 0, finished.stderr
    assert Path(finished.stdout.strip().splitlines()[-1].split()[-1]).exists()
