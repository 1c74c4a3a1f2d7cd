from datetime import UTC, datetime

import pytest

from tuppence.testing import ManualClock


@pytest.fixture
def manual():
    return ManualClock(datetime.now(UTC))
