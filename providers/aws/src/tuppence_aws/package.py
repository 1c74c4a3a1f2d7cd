"""The functions' deployment package: a zip of what they import, and the configuration as `tuppence.toml`.

It leaves out boto3 and what it brings: Lambda's Python has them, and they would make up most of the package,
which Lambda fetches and unpacks before a first call. What is called through them has been stable for years.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tuppence import package
from tuppence.config import Config
from tuppence.settled import settled

PYTHON: Final = "3.13"
"""The runtime (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, read November 2026)."""
PROCESSORS: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC: Final = 28
"""Wheels for glibc 2.28 and before: that of Python 3.12's and 3.13's runtimes is 2.34."""
_UNUSED: Final = ("terraform", "deploy.py", "package.py", "findings")
_LOCAL: Final = frozenset({"profile"})
"""Options that mean something on the machine that deploys, and nothing to a function, which has its role."""


def build(folder: Path, config: Config, architecture: str, *, python: str = PYTHON) -> Path:
    """Write the package into `folder` and return its path. Raises `DeployError`."""
    platform = package.Platform(
        provider="aws",
        python=python,
        processor=PROCESSORS[architecture],
        glibc=GLIBC,
        there=frozenset({"boto3"}),
        unused=tuple(f"tuppence_aws/{name}" for name in _UNUSED),
    )
    content = {
        **package.fetched(package.libraries(config, platform), platform),
        **package.own(platform),
        "tuppence.toml": settled(config, without=_LOCAL).encode(),
    }
    return package.write(folder / f"functions-{architecture}.zip", content)
