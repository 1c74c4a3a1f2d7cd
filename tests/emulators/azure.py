"""Counterparts of Azure: Microsoft's own emulator of the storage services, and a broker of our own."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from emulators.processes import ROOT, free_port, running

PACKAGE = ROOT / "tests" / "azure" / "azurite"
INSTALLED = ROOT / ".tools" / "azurite"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The key of Azurite's one account, which is known to everybody."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


@contextmanager
def azurite(environment: Mapping[str, str] = _NOTHING) -> Iterator[str]:
    """Run Azurite; yield the connection string of its account."""
    ports = {service: free_port() for service in ("blob", "queue", "table")}
    command = [_node(), "--require", str(PACKAGE / "ahead.js"), str(_installed())]
    command += ["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"]
    for service, port in ports.items():
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", str(port)]
    account = "devstoreaccount1"
    with running(command, ports["table"], environment):  # the last of the three to listen
        told = [f"AccountName={account}", f"AccountKey={KEY}"]
        for service, port in ports.items():
            told.append(f"{service.title()}Endpoint=http://127.0.0.1:{port}/{account}")
        yield ";".join(told)


@contextmanager
def service_bus(
    folder: Path, environment: Mapping[str, str] = _NOTHING, *, program: str = "main.py"
) -> Iterator[str]:
    """Run the broker that stands for Service Bus on the queues of a folder; yield a connection string.

    Its program is `faulty.py` where it is to fail now and then.
    """
    port = free_port()
    file = ROOT / "tests" / "azure" / "broker" / program
    with running([sys.executable, str(file), str(port), str(folder)], port, environment):
        key = "SharedAccessKeyName=Root;SharedAccessKey=c2VjcmV0"
        yield f"Endpoint=sb://127.0.0.1:{port};{key};UseDevelopmentEmulator=true;"


def _node() -> str:
    found = shutil.which("node")
    if not found or not shutil.which("npm"):
        raise RuntimeError("Azurite needs Node.js and npm: install both, as in `apt-get install nodejs npm`")
    return found


def _installed() -> Path:
    """Return Azurite's program, of exactly the packages that the lock file names; npm fetches them once."""
    INSTALLED.mkdir(parents=True, exist_ok=True)
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come at once
        done = INSTALLED / "node_modules" / ".package-lock.json"
        wanted = PACKAGE / "package-lock.json"
        if not done.exists() or done.stat().st_mtime < wanted.stat().st_mtime:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copyfile(PACKAGE / name, INSTALLED / name)
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(command, cwd=INSTALLED, check=True, stdout=subprocess.DEVNULL)
    return INSTALLED / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
