import json
import subprocess
import sys
from pathlib import Path

import pytest

TUPPENCE = Path(sys.executable).with_name("tuppence")


@pytest.fixture
def tuppence(tmp_path):
    """Return a function that runs the command in `tmp_path` and returns the finished process."""

    def run(*arguments, status=0, **options):
        finished = subprocess.run(
            [TUPPENCE, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, **options
        )
        assert finished.returncode == status, finished.stderr or finished.stdout
        return finished

    return run


@pytest.fixture
def report(tuppence):
    """Return a function that returns a week's report as JSON."""
    return lambda week: json.loads(tuppence("report", "--week", week, "--format", "json").stdout)


@pytest.fixture
def configure(tmp_path):
    """Return a function that writes a configuration on the embedded provider with this time zone."""

    def write(zone):
        (tmp_path / "tuppence.toml").write_text(
            f'provider = "local"\nproject = "bot"\ntimezone = "{zone}"\n[capture]\ndirectory = "journal"\n'
        )

    return write
