"""What an application pays for importing tuppence and capturing."""

import subprocess
import sys

HEAVY = {
    "jinja2", "click", "rich", "rapidfuzz", "css_inline", "cronsim", "boto3", "botocore", "google", "azure",
    "tuppence.report", "tuppence.cli", "tuppence.pipeline", "tuppence.testing", "pytest",
}  # fmt: skip


def loaded_after(script, folder):
    """Return which heavy modules a fresh interpreter has loaded after running `script`."""
    report = f"\nimport sys\nprint(*({HEAVY!r} & set(sys.modules)), sep=',')"
    finished = subprocess.run(
        [sys.executable, "-c", script + report], cwd=folder, check=True, capture_output=True, text=True
    )
    return finished.stdout.strip()


def test_importing_tuppence_loads_nothing_at_all(tmp_path):
    assert loaded_after("import tuppence, sys\nassert 'msgspec' not in sys.modules", tmp_path) == ""


def test_a_client_that_captures_and_sends_loads_no_sdk_no_report_and_no_command_line(tmp_path):
    script = (
        "import tuppence\n"
        "tp = tuppence.Client(provider='local', capture={'directory': 'journal'})\n"
        "with tp.question('How?') as q: q.answered()\n"
        "tp.feedback(q.id, useful=True)\n"
        "assert tp.flush()\n"
    )

    assert loaded_after(script, tmp_path) == ""
