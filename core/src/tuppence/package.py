"""What deployed functions import, collected: a provider makes its platform's package of it.

The same versions give the same bytes. It holds tuppence as it is installed here, and the libraries below it
in the versions that are installed here, as wheels for the platform's processor and Python. It leaves out what
the platform's Python has anyway, and what only the command line uses.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, entry_points
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Final

from tuppence.config import Config
from tuppence.drivers import Kind
from tuppence.errors import DeployError
from tuppence.plugins import GROUP

OLDEST_GLIBC: Final = 17
UNUSED: Final = frozenset({"click", "rich"})
"""Only the command line's, with what they need."""
_OWN_UNUSED: Final = tuple(
    f"tuppence/{name}"
    for name in (
        *("bench", "cli", "demo", "testing"),
        *("deploy.py", "package.py", "settled.py", "terraform.py"),
    )
)
_LIBRARIES_UNUSED: Final = (".", "bin/", "zstandard/_cffi.")
"""What installers leave behind, commands, and zstandard's other half, which is PyPy's."""
_KEPT_OF_METADATA: Final = re.compile(r"METADATA|entry_points\.txt|(licenses/|LICEN[CS]E|COPYING|NOTICE).*")
_WRITTEN: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every file in it, which is the earliest that a zip can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What runs the functions.

    Attributes:
        provider: its name, which is that of its entry point.
        python: as in `3.13`.
        processor: as wheels name it, `aarch64` or `x86_64`.
        glibc: the newest minor version, of 2, whose wheels run there.
        there: distributions that are part of its Python, with what they need.
        unused: paths of the provider's own that functions have no use for.

    """

    provider: str
    python: str
    processor: str
    glibc: int
    there: frozenset[str] = frozenset()
    unused: tuple[str, ...] = ()

    @property
    def ours(self) -> Mapping[str, str]:
        """Distributions that are copied from where they are installed, and their import packages."""
        return {"tuppence": "tuppence", f"tuppence-{self.provider}": f"tuppence_{self.provider}"}


def libraries(config: Config, platform: Platform) -> dict[str, str]:
    """Return which distributions are needed beside ours, with their versions."""
    chosen = {platform.provider, *(config.provider_of(kind) for kind in Kind)}
    roots = [entry.dist.name for entry in entry_points(group=GROUP) if entry.name in chosen and entry.dist]
    found: dict[str, str] = {}
    waiting = sorted({*map(_normal, roots), *platform.ours})
    seen = platform.there | UNUSED
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen |= {name}
        try:
            there = distribution(name)
        except PackageNotFoundError:  # only needed on other systems
            continue
        if name not in platform.ours:
            found[name] = there.version
        waiting += _requirements(there)
    return found


def fetched(wanted: Mapping[str, str], platform: Platform) -> dict[str, bytes]:
    """Return the files of these libraries, as their wheels for the platform have them.

    Raises:
        DeployError: they could not be fetched.

    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _fetch(folder, wanted, platform)
        return dict(_files(folder))


def own(platform: Platform) -> dict[str, bytes]:
    """Return tuppence's own files, wherever they are installed."""
    unused = (*_OWN_UNUSED, *platform.unused)
    found: dict[str, bytes] = {}
    for name, package in platform.ours.items():
        there = distribution(name)
        inside = {f"{package}/{path}": content for path, content in _files(Path(str(files(package))))}
        found |= {path: content for path, content in inside.items() if not path.startswith(unused)}
        found |= {
            f"{package}-{there.version}.dist-info/{file}": (there.read_text(file) or "").encode()
            for file in ("METADATA", "entry_points.txt")
        }
    return found


def write(path: Path, content: Mapping[str, bytes]) -> Path:
    """Write a zip and return its path."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(content):
            about = zipfile.ZipInfo(name, _WRITTEN)
            about.compress_type = zipfile.ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            archive.writestr(about, content[name])
    return path


def _requirements(there: Distribution) -> list[str]:
    """Return the names of what a distribution needs, its extras left aside."""
    told = [one.partition(";") for one in there.requires or ()]
    names = [re.match(r"[\w.-]+", name) for name, _, marker in told if "extra" not in marker]
    return [_normal(name[0]) for name in names if name]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _fetch(target: Path, wanted: Mapping[str, str], platform: Platform) -> None:
    """Unpack the libraries' wheels, by pip or by uv."""
    processor = platform.processor
    named = [f"{name}=={version}" for name, version in sorted(wanted.items())]
    common = ["--quiet", "--target", str(target), "--no-deps", "--only-binary", ":all:", *named]
    uv = shutil.which("uv")
    if find_spec("pip"):
        older = range(platform.glibc, OLDEST_GLIBC - 1, -1)
        platforms = [f"manylinux_2_{minor}_{processor}" for minor in older]
        tags = [part for one in (*platforms, f"manylinux2014_{processor}") for part in ("--platform", one)]
        place = ["--python-version", platform.python, "--implementation", "cp", *tags]
        command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *place, *common]
    elif uv:
        named_so = f"{processor}-manylinux_2_{platform.glibc}"
        place = ["--python-version", platform.python, "--python-platform", named_so]
        command = [uv, "pip", "install", "--python", sys.executable, *place, *common]
    else:
        raise DeployError(
            "the functions' package needs pip or uv, to fetch libraries built for where they run",
            f"`{sys.executable} -m ensurepip` installs pip.",
        )
    ended = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - made above
    if ended.returncode:
        raise DeployError(
            f"the functions' libraries could not be fetched: {ended.stderr.strip()[-500:]}",
            "Look whether the package index can be reached, and has these versions for Linux.",
        )


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for file in folder.rglob("*"):
        name = PurePosixPath(file.relative_to(folder).as_posix())
        if file.is_file() and _kept(name):
            yield str(name), file.read_bytes()


def _kept(name: PurePosixPath) -> bool:
    first = name.parts[0]
    if first.endswith(".dist-info"):
        return bool(_KEPT_OF_METADATA.fullmatch(str(name.relative_to(first))))
    unused = str(name).startswith(_LIBRARIES_UNUSED) or "__pycache__" in name.parts
    return not unused and name.suffix not in {".pyc", ".pyi"}
