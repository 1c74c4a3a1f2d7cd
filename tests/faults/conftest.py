import pytest

from faults.killing import Killer


@pytest.fixture
def killer(request):
    """Kills the processes of one test."""
    made = Killer(request.node.name)
    yield made
    made.close()
