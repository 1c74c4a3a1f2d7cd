import pytest

from wheels import build


@pytest.fixture(scope="session")
def distributions(tmp_path_factory):
    """The source distribution, and the wheel made from it."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def wheel(distributions):
    return distributions[".whl"]
