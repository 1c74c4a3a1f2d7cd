"""Processes that are killed at random moments of their work, and what they leave behind."""

import json
import os
import random
import statistics
import subprocess
import sys
from collections import deque

import pytest

from faults.processes import environment

KILLS = int(os.environ.get("KILLS", "10"))
"""Kills of each stage."""
patiently = pytest.mark.timeout(600 + 30 * KILLS)
SEED = int(os.environ.get("SEED", "20261116"))


class Killer:
    """Runs stages in processes of their own and kills them where a seeded plan says.

    Everything it does is written to standard output, so that a failing test shows its plan.
    """

    def __init__(self, name):
        self.name = name
        self.kills = 0
        self.seed = f"{SEED} {name}"
        self.chance = random.Random(self.seed)
        self._spans = {}
        self._server = subprocess.Popen(
            [sys.executable, "-m", "faults.forkserver"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        )
        sys.stdout.write(f"SEED={SEED} KILLS={KILLS}\n")

    @property
    def told(self):
        """How many kills there were, and by which seed."""
        return f"{self.kills} kills by seed {self.seed!r}"

    def run(self, stage, **arguments):
        """Let a stage end in peace; return its answer."""
        return self._in_peace(stage, arguments)["answer"]

    def measure(self, stage, **arguments):
        """Let a stage end in peace; return its answer. Kills are spread over the time it took."""
        done = self._in_peace(stage, arguments)
        self._spans.setdefault(stage, deque(maxlen=9)).append(done["seconds"])
        return done["answer"]

    def kill(self, stage, **arguments):
        """Kill a stage anywhere between its beginning and its end; return whether it was alive by then."""
        after = self.chance.uniform(0.0, statistics.median(self._spans[stage]))
        done = self._ask(stage, arguments, after)
        assert done["killed"] or done["status"] == 0, f"{stage} failed; see standard error"
        self.kills += done["killed"]
        return done["killed"]

    def lives(self, folder, each):
        """Yield a fresh folder until there were enough kills; in each, `each` tries are to be made."""
        number = 0
        while self.kills < KILLS:
            place = folder / f"{number}"
            place.mkdir()
            yield place, range(min(each, KILLS - self.kills))
            number += 1
            assert number < KILLS + 10, "the work ends before it can be killed"

    def close(self):
        self._server.stdin.close()
        self._server.wait(30)
        self._server.stdout.close()

    def _in_peace(self, stage, arguments):
        done = self._ask(stage, arguments, None)
        assert done["status"] == 0, f"{stage} failed; see standard error"
        return done

    def _ask(self, stage, arguments, after):
        request = {"stage": stage, "arguments": arguments, "kill_after": after}
        line = json.dumps(request, default=str)
        self._server.stdin.write(line.encode() + b"\n")
        self._server.stdin.flush()
        answer = json.loads(self._server.stdout.readline())
        sys.stdout.write(f"{line} -> {answer}\n")
        assert answer["begun"], f"{stage} did not begin; see standard error"
        return answer
