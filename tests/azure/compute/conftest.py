import pytest

from wheels import Environment, found_pythons, uv

NEEDED = (3, 13)


@pytest.fixture(scope="session")
def runtime(tmp_path_factory):
    """Return a Python that has Microsoft's library for Python workers, installed apart, and its version."""
    newer = {
        version: place
        for version, place in found_pythons().items()
        if tuple(map(int, version.split("."))) >= NEEDED
    }
    if not newer:
        pytest.skip("Microsoft's library for Python workers needs Python 3.13 or newer")
    version = min(newer)
    folder = tmp_path_factory.mktemp("runtime")
    environment = Environment(folder, newer[version])
    group = ("--only-group", "azure-functions", "--python", newer[version])
    uv("export", "--frozen", *group, "--output-file", folder / "requirements.txt")
    environment.install("--requirements", folder / "requirements.txt")
    return environment.python, version
