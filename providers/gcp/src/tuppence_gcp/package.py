"""The functions' source: a zip of `main.py`, our own code, what it needs, and the configuration.

Cloud Run builds functions from source and fetches the libraries of `requirements.txt` itself. So these are
pinned there and not in the zip, which is small and the same whatever machine makes it. Our own code is in it:
what is deployed is what is installed here, published or not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tuppence import package
from tuppence.config import Config
from tuppence.settled import settled

PYTHON: Final = "3.13"
"""The runtime (https://cloud.google.com/functions/docs/runtime-support, not verified)."""
FRAMEWORK: Final = "functions-framework==3.10.2"
"""What calls our code. Its own libraries are the newest that it takes."""
MAIN: Final = '''\
"""What functions-framework loads."""

from tuppence_gcp.handlers import consume, receive, run

__all__ = ["consume", "receive", "run"]
'''
_UNUSED: Final = ("terraform", "deploy.py", "package.py", "findings")
_LOCAL: Final = frozenset({"certificates", "create_database"})
"""Options that mean something on the machine that deploys, and nothing to a function."""
_PLATFORM: Final = package.Platform(
    provider="gcp",
    python=PYTHON,
    processor="x86_64",
    glibc=28,
    unused=tuple(f"tuppence_gcp/{name}" for name in _UNUSED),
)


def build(folder: Path, config: Config) -> Path:
    """Write the source into `folder` and return its path."""
    wanted = package.libraries(config, _PLATFORM)
    pinned = sorted([FRAMEWORK, *(f"{name}=={version}" for name, version in wanted.items())])
    content = {
        **package.own(_PLATFORM),
        "main.py": MAIN.encode(),
        "requirements.txt": ("\n".join(pinned) + "\n").encode(),
        "tuppence.toml": settled(config, without=_LOCAL).encode(),
    }
    return package.write(folder / "functions.zip", content)
