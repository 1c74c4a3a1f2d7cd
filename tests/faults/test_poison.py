"""Poison in the queue: each becomes a dead letter with its reason, in bounded memory; the rest is counted."""

import json
import subprocess
import sys

from faults import poisoned
from faults.ledger import results, sealed
from faults.messages import EVENTS
from faults.processes import environment

CONFIGURATION = 'provider = "local"\nproject = "bot"\n'
MEBIBYTES = 160
"""What draining and sealing may add: the largest columns that are read, unpacked, and a pass of messages."""


def test_poison_becomes_dead_letters_and_everything_else_is_counted(tmp_path):
    (tmp_path / "tuppence.toml").write_text(CONFIGURATION)

    finished = subprocess.run(
        [sys.executable, poisoned.__file__, tmp_path, str(MEBIBYTES)],
        check=True,
        stdout=subprocess.PIPE,
        timeout=120,
        env=environment(),
    )

    assert json.loads(finished.stdout) == {
        "gzip_bomb": "not an event",
        "zstd_bomb": "unreadable columns",
        "zstd_bomb_that_hides_its_size": "unreadable columns",
        "a_list_of_four_billion": "unreadable columns",
        "nesting_without_end": "unreadable columns",
        "a_header_of_a_megabyte": "bad batch",
        "a_header_longer_than_the_message": "bad batch",
        "more_events_than_it_says": "unreadable columns",
        "a_count_beyond_all_bounds": "bad batch",
        "an_event_of_another_hour": "unreadable columns",
        "json_without_end": "not an event",
        "an_event_too_large": "not an event",
        "a_message_too_large": "too large for the queue",
        "nothing": "not an event",
        "a_batch_of_another_version": "newer format",
    }
    assert results(tmp_path)
    assert sealed(tmp_path)[0] == EVENTS
