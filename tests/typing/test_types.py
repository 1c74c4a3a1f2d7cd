"""What type checkers say to those who use the installed wheel: nothing, but for their mistakes."""

import json
import re
import sys
from pathlib import Path

import pytest

from wheels import Environment, build, uv

pytestmark = pytest.mark.slow
USERS = Path(__file__).parent / "users"
WRONG = "# wrong"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment with the wheel and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("typing")
    environment = Environment(folder, sys.executable)
    environment.install(f"{build(folder / 'dist', '--wheel')['.whl']}[testing]")
    return environment


@pytest.fixture(scope="module")
def pyright(tmp_path_factory):
    """The second type checker, at its locked version, which brings a Node.js of its own."""
    folder = tmp_path_factory.mktemp("pyright")
    environment = Environment(folder, sys.executable)
    uv("export", "--frozen", "--only-group", "types", "--output-file", folder / "requirements.txt")
    environment.install("--requirements", folder / "requirements.txt")
    return environment


def mypy_errors(environment):
    """Return the lines with an error, as (file name, number), and all that was printed."""
    checker = Path(sys.executable).with_name("mypy")
    printed = environment.run(
        checker, "--strict", "--config-file=", "--python-executable", environment.python, USERS, status={0, 1}
    )
    found = re.findall(r"^(?:.*/)?(\w+\.py):(\d+): error:", printed, re.MULTILINE)
    return {(name, int(line)) for name, line in found}, printed


def pyright_errors(environment, pyright):
    """Return the same of pyright's strictest mode."""
    settings = environment.folder / "pyrightconfig.json"
    settings.write_text(
        json.dumps({"include": [str(USERS)], "typeCheckingMode": "strict", "pythonVersion": "3.11"}),
        encoding="utf-8",
    )
    printed = pyright.run(
        "basedpyright",
        "--project",
        settings,
        "--pythonpath",
        environment.python,
        "--outputjson",
        status={0, 1},
    )
    told = json.loads(printed)["generalDiagnostics"]
    found = {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in told}
    return found, "\n".join(
        f"{one['file']}:{one['range']['start']['line'] + 1}: {one['message']}" for one in told
    )


def mistakes():
    return {
        (path.name, number)
        for path in USERS.glob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if line.endswith(WRONG)
    }


def test_mypy_finds_the_mistakes_and_nothing_else(environment):
    errors, printed = mypy_errors(environment)

    assert len(mistakes()) > 20
    assert errors == mistakes(), printed


def test_pyright_finds_the_mistakes_and_nothing_else(environment, pyright):
    errors, printed = pyright_errors(environment, pyright)

    assert errors == mistakes(), printed
