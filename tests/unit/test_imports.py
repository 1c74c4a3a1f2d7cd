"""What an application pays for importing tuppence and capturing."""

import subprocess
import sys

import pytest

HEAVY = {
    "jinja2", "click", "rich", "rapidfuzz", "css_inline", "cronsim", "boto3", "botocore", "google", "azure",
    "tuppence.report", "tuppence.cli", "tuppence.pipeline", "tuppence.testing", "pytest",
}  # fmt: skip


LOADED = f"""
print(*sorted(
    name for name in set(sys.modules) - before if {{name, name.partition(".")[0]}} & {HEAVY!r}
), sep=",")
"""


def loaded_after(script, folder):
    """Return which heavy modules `script` has loaded, beyond what installed packages load at every start."""
    whole = f"import sys\nbefore = set(sys.modules)\n{script}{LOADED}"
    finished = subprocess.run(
        [sys.executable, "-c", whole], cwd=folder, check=True, capture_output=True, text=True
    )
    return finished.stdout.strip()


def test_importing_tuppence_loads_nothing_at_all(tmp_path):
    assert loaded_after("import tuppence\nassert 'msgspec' not in sys.modules", tmp_path) == ""


def test_a_client_that_captures_and_sends_loads_no_sdk_no_report_and_no_command_line(tmp_path):
    script = (
        "import tuppence\n"
        "tp = tuppence.Client(provider='local', capture={'directory': 'journal'})\n"
        "with tp.question('How?') as q: q.answered()\n"
        "tp.feedback(q.id, useful=True)\n"
        "assert tp.flush()\n"
    )

    assert loaded_after(script, tmp_path) == ""


@pytest.mark.parametrize("others", [0, 3], ids=["alone", "beside others and what the dead left"])
def test_the_first_call_loads_nothing_of_what_sends(tmp_path, others):
    script = (
        "import tuppence\n"
        "from tuppence.capture import places\n"
        "tp = tuppence.Client(provider='local', capture={'directory': 'journal'})\n"
        "folder = places.prepared(places.directory(tp.config))\n"
        f"living = [places.new_instance(folder, letter) for letter in 'abc'[:{others}]]\n"
        "for _, lock in living[1:]: lock.release()\n"
        "assert tp.capture('start')\n"
        "late = {'tuppence.capture.sender', 'tuppence.drivers', 'tuppence.queue', 'dataclasses', 'tomllib'}\n"
        "assert not late & set(sys.modules) - before, late & set(sys.modules)\n"
    )

    assert loaded_after(script, tmp_path) == ""
