"""Processes are killed at hundreds of random moments while they build the mails of a week and send them."""

import shutil

import pytest

from faults.killing import patiently
from faults.letterbox import letterbox
from faults.messages import bodies
from faults.stages import runtime, soon
from tuppence.report.claims import recipient_id, standing, unconfirmed

RECIPIENTS = 8
MONDAY = 7 * 24 * 60 - 90
"""Minutes from nine to half past seven, a week later: the mail is due."""
CONFIGURATION = (
    'provider = "local"\nproject = "bot"\n[mailer]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
    "[report]\nto = {to}\n"
)


@pytest.fixture
def sealed_week(killer, tmp_path):
    """Return a folder with a week that is sealed and not mailed."""
    folder = tmp_path / "week"
    folder.mkdir()
    (folder / "tuppence.toml").write_text('provider = "local"\nproject = "bot"\n')
    files = [folder / f"body{number}" for number, _ in enumerate(bodies())]
    for file, body in zip(files, bodies(), strict=True):
        file.write_bytes(body)
    for stage, more in (("put", {"files": files}), ("drain", {}), ("seal", {})):
        killer.run(stage, folder=folder, **more)
    return folder


def claimed(folder, minutes):
    """Return which recipients' claims were confirmed, and which are reported as doubtful."""
    with runtime(folder, minutes) as running:
        project, now = running.config.project, running.clock.now()
        confirmed = {
            one.recipient for one in standing(running.store, project, now.year, deadline=soon()) if one.sent
        }
        doubtful = {one.recipient for one in unconfirmed(running.store, project, now, deadline=soon())}
    return confirmed, doubtful


@patiently
def test_the_report_may_be_killed_at_any_moment(killer, tmp_path, sealed_week, record_property):
    recipients = mailed = doubts = arrived = 0
    with letterbox() as box:
        for folder, tries in killer.lives(tmp_path, each=3):
            to = [f"r{number}@{folder.name}.example" for number in range(RECIPIENTS)]
            shutil.copytree(sealed_week, folder, dirs_exist_ok=True)
            text = CONFIGURATION.format(port=box.port, to=to)
            (folder / "tuppence.toml").write_text(text)
            if not mailed:
                killer.measure("report", folder=shutil.copytree(folder, tmp_path / "quiet"), minutes=MONDAY)
                box.accepted.clear()
            for _ in tries:
                killer.kill("report", folder=folder, minutes=MONDAY)
            killer.run("report", folder=folder, minutes=MONDAY)
            killer.run("report", folder=folder, minutes=MONDAY + 30)

            confirmed, doubtful = claimed(folder, MONDAY + 30)
            counts = {recipient_id(one): box.accepted[one] for one in to}
            assert confirmed | doubtful == set(counts)
            assert {counts[one] for one in confirmed} == {1}
            assert {counts[one] for one in doubtful} <= {0, 1}
            recipients += len(to)
            mailed += len(confirmed)
            doubts += len(doubtful)
            arrived += sum(counts[one] for one in doubtful)

    record_property(
        "summary",
        f"report: {killer.told}, {recipients:,} mails owed, {mailed:,} sent and confirmed, "
        f"{doubts} in doubt and reported ({arrived} of them arrived), lost 0, twice 0",
    )
