"""The bench as a provider: installed for the measured process alone, through the door all providers use."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tuppence.drivers import Kind
from tuppence.hookspecs import API, Provider, hookimpl

NAME: Final = "bench"


@hookimpl
def tuppence_provider() -> Provider:
    """Describe a provider that has a queue and nothing else."""
    return Provider(name=NAME, api=API, drivers={Kind.QUEUE: "tuppence.bench.queue:BenchQueue"})


def installed(folder: Path) -> Path:
    """Install it in `folder`, for whoever has that on the path of its modules; return the folder."""
    told = folder / "tuppence_bench-0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: tuppence-bench\nVersion: 0\n")
    (told / "entry_points.txt").write_text(f"[tuppence]\n{NAME} = {__name__}\n")
    return folder
