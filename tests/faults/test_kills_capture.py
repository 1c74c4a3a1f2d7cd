"""Processes are killed at hundreds of random moments while they capture and while they send."""

from faults.killing import patiently
from faults.ledger import Ledger, of_capture
from faults.stages import load
from tuppence.capture import places

CONFIGURATION = (
    'provider = "local"\nproject = "bot"\n[capture]\ndirectory = "j"\njournal_bytes = {journal}\n'
    '[queue]\npath = "away/queue.db"\n[store]\npath = "store.db"\n'
)
MIB = 1024 * 1024


def settle(killer, folder):
    """Bring the queue back, let everything come to its end, and return what became of it."""
    (folder / "away").mkdir(exist_ok=True)
    for stage in ("send", "drain", "seal"):
        assert killer.run(stage, folder=folder)
    found = of_capture(folder, folder.glob("promises*"))
    assert (found.lost, found.twice) == (0, 0)
    return found


@patiently
def test_capture_may_be_killed_at_any_moment(killer, tmp_path, record_property):
    """While the queue is away; whoever fills two segments before they are packed drops the oldest.

    The first of all certainly does: another seems to be the host's sender, so nothing is packed meanwhile.
    """
    total = Ledger()

    for folder, tries in killer.lives(tmp_path, each=8):
        (folder / "tuppence.toml").write_text(CONFIGURATION.format(journal=2 * MIB))
        directory = places.prepared(places.directory(load(folder)))
        sender = places.Lock.take(directory / places.SENDER_LOCK)
        killer.measure("capture", folder=folder, promises=folder / "promises", count=5_000)
        sender.release()
        for number in tries:
            killer.kill("capture", folder=folder, promises=folder / f"promises{number}", count=5_000)
        total += settle(killer, folder)

    assert total.dropped
    record_property("summary", f"capture: {killer.told}, {total}")


@patiently
def test_the_sender_may_be_killed_at_any_moment(killer, tmp_path, record_property):
    """In turn one that sends for the dead and one that captures; what it left waits for the next."""
    total = Ledger()

    for folder, tries in killer.lives(tmp_path, each=8):
        (folder / "tuppence.toml").write_text(CONFIGURATION.format(journal=64 * MIB))
        (folder / "away").mkdir()
        killer.run("capture_and_die", folder=folder, promises=folder / "promises", count=1_500)
        killer.measure("send", folder=folder)
        killer.measure("capture_and_send", folder=folder, promises=folder / "promises-sent", count=1_000)
        for number in tries:
            record = folder / f"promises{number}"
            if number % 2:
                killer.kill("capture_and_send", folder=folder, promises=record, count=1_000)
            else:
                killer.run("capture_and_die", folder=folder, promises=record, count=1_500)
                killer.kill("send", folder=folder)
        total += settle(killer, folder)

    assert not total.dropped
    record_property("summary", f"sender: {killer.told}, {total}")
