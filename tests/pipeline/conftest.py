import pytest

from pipeline.world import World


@pytest.fixture
def world(tmp_path):
    """A pipeline at half past nine on a Monday, on the embedded provider."""
    world = World(tmp_path)
    yield world
    world.close()
