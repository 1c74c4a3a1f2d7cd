"""An SMTP server takes a mail and then drops the line, before or after it has said so."""

import socket
import threading
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest

from faults import stages
from faults.messages import bodies
from faults.stages import runtime, soon
from tuppence.cli import unfinished
from tuppence.report import build, render_text
from tuppence.report.period import Week

MONDAY = 7 * 24 * 60 - 90
"""Minutes from nine to half past seven, a week later: the mail is due."""
WEEK = MONDAY + 7 * 24 * 60
CONFIGURATION = (
    'provider = "local"\nproject = "bot"\n[report]\nto = ["me@example.com"]\n'
    '[mailer]\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
)


@contextmanager
def dropping(*, says_so):
    """Serve SMTP: take each mail whole, say so or not, and drop the line. Yields the port and the mails."""
    listener, mails = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                converse(lines, mails, says_so=says_so)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listener.getsockname()[1], mails
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def converse(lines, mails, *, says_so):
    def reply(words):
        lines.write(words + b"\r\n")
        lines.flush()

    reply(b"220 hello")
    while (line := lines.readline()) and not line.upper().startswith(b"DATA"):
        reply(b"250 fine")
    if not line:
        return
    reply(b"354 go on")
    mails.append(b"".join(iter(lines.readline, b".\r\n")))
    if says_so:
        reply(b"250 taken")


@pytest.fixture
def folder(tmp_path):
    """A folder with a week that is sealed."""
    (tmp_path / "tuppence.toml").write_text('provider = "local"\nproject = "bot"\n')
    files = [tmp_path / f"body{number}" for number, _ in enumerate(bodies())]
    for file, body in zip(files, bodies(), strict=True):
        file.write_bytes(body)
    stages.put(lambda: None, tmp_path, files)
    stages.drain(lambda: None, tmp_path)
    stages.seal(lambda: None, tmp_path)
    return tmp_path


def report(folder, minutes):
    return stages.report(lambda: None, folder, minutes)


def test_a_mail_that_was_taken_without_a_word_is_reported_and_not_sent_again(folder):
    with dropping(says_so=False) as (port, mails):
        (folder / "tuppence.toml").write_text(CONFIGURATION.format(port=port))
        first = report(folder, MONDAY)
        again = [report(folder, MONDAY + minutes) for minutes in (1, 30, 600)]

    assert first == ["unconfirmed"]
    assert again == [[], [], []]
    assert len(mails) == 1
    assert doctor(folder, MONDAY) == []
    [mend] = doctor(folder, MONDAY + 30)
    assert "--week 2026-W47 --send --to ADDRESS" in mend
    assert doctor(folder, MONDAY - 30) == [mend]  # the clock was ahead when the mail was claimed
    assert "may have been sent or not: 2026-W47" in next_mail(folder)


def doctor(folder, minutes):
    """Return what the doctor has to say of mails."""
    with runtime(folder, minutes) as running:
        return [one.mend for one in unfinished.store(running) if one.part == "mail"]


def next_mail(folder):
    """Return the text of the next week's mail, its lines joined."""
    with runtime(folder, WEEK) as running:
        week = Week.last(running.clock.now(), ZoneInfo("UTC"))
        built = build(running.store, running.config, week, running.clock, deadline=soon())
    return " ".join(render_text(built).split())


def test_a_line_dropped_after_the_mail_was_acknowledged_leaves_no_doubt(folder):
    with dropping(says_so=True) as (port, mails):
        (folder / "tuppence.toml").write_text(CONFIGURATION.format(port=port))
        first, again = report(folder, MONDAY), report(folder, MONDAY + 30)

    assert (first, again) == (["sent"], [])
    assert len(mails) == 1
    assert "may have been sent" not in next_mail(folder)
