"""The functions' deployment package: a zip of what they import, the same bytes from the same versions.

It holds tuppence as it is installed here; the libraries below it, in the versions that are installed here, as
wheels for Lambda's processor and Python; and the configuration in effect, as `tuppence.toml`.

It leaves out boto3 and what it brings: Lambda's Python has them, and they would make up most of the package,
which Lambda fetches and unpacks before a first call. What is called through them has been stable for years.
It leaves out what only the command line uses.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final

from tuppence.config import Config
from tuppence.drivers import Kind
from tuppence.errors import DeployError
from tuppence.plugins import GROUP
from tuppence_aws.settled import settled

PYTHON: Final = "3.13"
"""The runtime (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html, read November 2026)."""
PROCESSORS: Final = {"arm64": "aarch64", "x86_64": "x86_64"}
GLIBC: Final = 28
"""Wheels for glibc 2.28 and before: that of Python 3.12's and 3.13's runtimes is 2.34."""
OLDEST_GLIBC: Final = 17
OURS: Final = {"tuppence": "tuppence", "tuppence-aws": "tuppence_aws"}
"""Distributions that are copied from where they are installed, and their import packages."""
THERE: Final = frozenset({"boto3"})
"""Part of Lambda's Python, with what it needs."""
UNUSED: Final = frozenset({"click", "rich"})
"""Only the command line's, with what they need."""
_OWN_UNUSED: Final = (
    *("tuppence/cli", "tuppence/demo", "tuppence/testing", "tuppence/deploy.py", "tuppence/terraform.py"),
    *("tuppence_aws/terraform", "tuppence_aws/deploy.py", "tuppence_aws/package.py", "tuppence_aws/findings"),
)
_LIBRARIES_UNUSED: Final = (".", "bin/", "zstandard/_cffi.")
"""What installers leave behind, commands, and zstandard's other half, which is PyPy's."""
_KEPT_OF_METADATA: Final = re.compile(r"METADATA|entry_points\.txt|(licenses/|LICEN[CS]E|COPYING|NOTICE).*")
_WRITTEN: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in it, which is the earliest that a zip can say."""


def build(folder: Path, config: Config, architecture: str, *, python: str = PYTHON) -> Path:
    """Write the package into `folder` and return its path. Raises `DeployError`."""
    path = folder / f"functions-{architecture}.zip"
    with tempfile.TemporaryDirectory() as temporary:
        libraries = Path(temporary)
        _fetch(libraries, _libraries(config), PROCESSORS[architecture], python)
        content = {**dict(_files(libraries)), **dict(_own()), "tuppence.toml": settled(config).encode()}
    _write(path, content)
    return path


def _libraries(config: Config) -> dict[str, str]:
    """Return which distributions are needed beside ours, with their versions."""
    chosen = {"aws", *(config.provider_of(kind) for kind in Kind)}
    roots = [entry.dist.name for entry in entry_points(group=GROUP) if entry.name in chosen and entry.dist]
    found: dict[str, str] = {}
    waiting = sorted({*map(_normal, roots), *OURS})
    seen = THERE | UNUSED
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen |= {name}
        try:
            there = distribution(name)
        except PackageNotFoundError:  # only needed on other systems
            continue
        if name not in OURS:
            found[name] = there.version
        waiting += _requirements(there)
    return found


def _requirements(there: Distribution) -> list[str]:
    """Return the names of what a distribution needs, its extras left aside."""
    told = [one.partition(";") for one in there.requires or ()]
    names = [re.match(r"[\w.-]+", name) for name, _, marker in told if "extra" not in marker]
    return [_normal(name[0]) for name in names if name]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _fetch(target: Path, libraries: Mapping[str, str], processor: str, python: str) -> None:
    """Unpack the libraries' wheels, by pip or by uv."""
    wanted = [f"{name}=={version}" for name, version in sorted(libraries.items())]
    common = ["--quiet", "--target", str(target), "--no-deps", "--only-binary", ":all:", *wanted]
    uv = shutil.which("uv")
    if find_spec("pip"):
        platforms = [f"manylinux_2_{minor}_{processor}" for minor in range(GLIBC, OLDEST_GLIBC - 1, -1)]
        tags = [part for one in (*platforms, f"manylinux2014_{processor}") for part in ("--platform", one)]
        place = ["--python-version", python, "--implementation", "cp", *tags]
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *place, *common]
    elif uv:
        place = ["--python-version", python, "--python-platform", f"{processor}-manylinux_2_{GLIBC}"]
        command = [uv, "pip", "install", "--python", sys.executable, *place, *common]
    else:
        raise DeployError(
            "the functions' package needs pip or uv, to fetch libraries built for Lambda",
            f"`{sys.executable} -m ensurepip` installs pip.",
        )
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - made above
    if ended.returncode:
        raise DeployError(
            f"the libraries for Lambda could not be fetched: {ended.stderr.strip()[-500:]}",
            "Look whether the package index can be reached, and has these versions for Linux.",
        )


def _files(libraries: Path) -> Iterator[tuple[str, bytes]]:
    for file in libraries.rglob("*"):
        name = PurePosixPath(file.relative_to(libraries).as_posix())
        if file.is_file() and _kept(name):
            yield str(name), file.read_bytes()


def _kept(name: PurePosixPath) -> bool:
    first = name.parts[0]
    if first.endswith(".dist-info"):
        return bool(_KEPT_OF_METADATA.fullmatch(str(name.relative_to(first))))
    unused = str(name).startswith(_LIBRARIES_UNUSED) or "__pycache__" in name.parts
    return not unused and name.suffix not in {".pyc", ".pyi"}


def _own() -> Iterator[tuple[str, bytes]]:
    """Give tuppence's own files, wherever they are installed."""
    for name, package in OURS.items():
        for inside, content in _files(Path(str(files(package)))):
            path = f"{package}/{inside}"
            if not path.startswith(_OWN_UNUSED):
                yield path, content
        there = distribution(name)
        for file in ("METADATA", "entry_points.txt"):
            yield f"{package}-{there.version}.dist-info/{file}", (there.read_text(file) or "").encode()


def _write(path: Path, content: Mapping[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(content):
            about = zipfile.ZipInfo(name, _WRITTEN)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            archive.writestr(about, content[name])
