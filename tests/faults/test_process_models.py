"""Every common way to work in several processes: each call is counted, refused, or dropped and counted.

`REPEATS=20 make faults` repeats each, and prints what became of all calls.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import pytest

from faults.queues import CONFIGURATION, received, send_everything
from uwsgi_program import environment_of_uwsgi, uwsgi_program

HERE = Path(__file__).parent
SCRIPTS = Path(sys.executable).parent
REPEATS = int(os.environ.get("REPEATS", "1"))
REQUESTS = 60
TIMEOUT_S = 120
ADDRESS = re.compile(r"(?:http://|bound to TCP address )(127\.0\.0\.1:(?!0\b)\d+)")

UWSGI = ["--http-socket", "127.0.0.1:0", "--module", "serving:wsgi", "--master", "--processes", "3"]
GUNICORN = ["gunicorn", "serving:wsgi", "--workers", "3", "--bind", "127.0.0.1:0"]
UVICORN = ["uvicorn", "serving:asgi", "--workers", "3", "--port", "0"]
SERVERS = {
    "uWSGI": (UWSGI, signal.SIGINT, 1),
    "uWSGI --lazy-apps": ([*UWSGI, "--lazy-apps"], signal.SIGINT, 3),
    "uWSGI --enable-threads": ([*UWSGI, "--enable-threads"], signal.SIGINT, 1),
    "gunicorn": (GUNICORN, signal.SIGTERM, 3),
    "gunicorn --preload": ([*GUNICORN, "--preload"], signal.SIGTERM, 1),
    "uvicorn": (UVICORN, signal.SIGTERM, 3),
}
"""The command, the signal that stops it, and how many processes import the application."""
PROGRAMS = ["prefork", "fork", "spawn", "forkserver"]


def serve(folder, command, stop, imports):
    """Have a server answer requests, several at once, and stop it as usual once all of it has begun."""
    if command[: len(UWSGI)] == UWSGI:
        command, environment = [uwsgi_program(), *command], environment_of_uwsgi()
    else:
        command, environment = [SCRIPTS / command[0], *command[1:]], dict(os.environ)
    paths = [str(HERE), environment.get("PYTHONPATH")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log) as server,
    ):
        try:
            address = wait_for_address(folder / "log", server)
            with ThreadPoolExecutor(6) as visitors:
                answers = list(visitors.map(lambda _: visit(address), range(REQUESTS)))
            assert answers == [b"Yes."] * REQUESTS
            wait_for_imports(folder / "promised", imports)
        finally:
            server.send_signal(stop)
            server.wait(TIMEOUT_S)


def wait_for_address(log, server):
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until and server.poll() is None:
        if found := ADDRESS.search(log.read_text()):
            return f"http://{found[1]}/"
        time.sleep(0.05)
    raise AssertionError(log.read_text())


def wait_for_imports(promised, imports):
    """Wait until so many processes have imported the application; uWSGI takes a minute to stop one in it."""
    until = time.monotonic() + TIMEOUT_S
    while len({line.split()[1] for line in promised.read_text().splitlines()}) < imports:
        assert time.monotonic() < until
        time.sleep(0.05)


def visit(address):
    """Ask, and ask again while the workers are still starting."""
    until = time.monotonic() + TIMEOUT_S
    while True:
        try:
            with urlopen(address, timeout=TIMEOUT_S) as answer:
                return answer.read()
        except OSError:  # of urllib too
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def run_program(folder, way):
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    command = [sys.executable, HERE / "pooling.py", way]
    subprocess.run(command, cwd=folder, env=environment, check=True, timeout=TIMEOUT_S)


def account(folder):
    """Return what was promised, and what became of it."""
    assert send_everything(folder, TIMEOUT_S)
    promised = Counter(line.split()[0] for line in (folder / "promised").read_text().splitlines())
    headers, events = received(folder)
    last = {}
    for header in headers:
        last[header.instance] = max(last.get(header.instance, (0, 0)), (header.refused, header.dropped))
    return Counter(
        captured=promised["captured"],
        refused_calls=promised["refused"],
        counted=len({(instance, event.seq) for instance, event in events}),
        twice=len(events) - len({(instance, event.seq) for instance, event in events}),
        refused=sum(refused for refused, _ in last.values()),
        dropped=sum(dropped for _, dropped in last.values()),
    )


def check(tmp_path, act):
    """Act again and again; return one line on what became of everything."""
    total = Counter()
    for number in range(REPEATS):
        folder = tmp_path / str(number)
        (folder / "queue").mkdir(parents=True)
        (folder / "tuppence.toml").write_text(CONFIGURATION)
        act(folder)
        found = account(folder)
        assert found["captured"] == found["counted"] + found["dropped"], found
        assert found["refused_calls"] == found["refused"] > 0
        assert found["twice"] == 0
        total += found
    return (
        f"{REPEATS} runs, {total['captured'] + total['refused_calls']:,} calls = "
        f"{total['counted']:,} counted "
        f"+ {total['refused']:,} refused + {total['dropped']:,} dropped, {total['twice']:,} twice"
    )


@pytest.mark.parametrize("form", SERVERS)
def test_a_server_loses_and_doubles_nothing(tmp_path, form, record_property):
    line = check(tmp_path, lambda folder: serve(folder, *SERVERS[form]))

    record_property("summary", f"{form}: {line}")


@pytest.mark.parametrize("way", PROGRAMS)
def test_a_pool_loses_and_doubles_nothing(tmp_path, way, record_property):
    line = check(tmp_path, lambda folder: run_program(folder, way))

    record_property("summary", f"{way if way == 'prefork' else f'multiprocessing {way}'}: {line}")
