"""The chart of the documentation: what a call takes, and what is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clients import EAGER, FLOORS, OURS
from tables import Results

OWN, OTHER, FLOOR = "#0b6e4f", "#8a8f98", "#c9ced6"


def draw(results: Results, file: Path) -> None:
    """Write it as SVG, the same bytes for the same results."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "tuppence", "svg.fonttype": "none", "font.size": 9}
    from matplotlib import pyplot as plt

    figure, (calls, losses) = plt.subplots(1, 2, figsize=(9, 3.8), width_ratios=(3, 2))
    _calls(calls, results["capture"]["burst"])
    _losses(losses, results["faults"])
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None, "Title": "What a call takes, and what is lost"})
    plt.close(figure)


def _calls(axes: Any, burst: Results) -> None:
    """Draw a bar from the median to the 99th percentile of each client's calls."""
    names = list(burst)[::-1]
    for row, name in enumerate(names):
        low, high = burst[name]["p50"], burst[name]["p99"]
        axes.plot([low, high], [row, row], color=_colour(name), linewidth=5, solid_capstyle="butt")
        axes.plot([low], [row], marker="o", color=_colour(name), markersize=6)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xlabel("µs in the call, p50 to p99, a burst")
    _plain(axes)


def _losses(axes: Any, faults: Results) -> None:
    """Draw the share of captured events that each client lost over all faults."""
    names = [name for name in next(iter(faults.values())) if name != EAGER][::-1]
    shares = []
    for name in names:
        seen = [scenario[name] for scenario in faults.values()]
        shares.append(100 * sum(one["lost"] for one in seen) / max(1, sum(one["calls"] for one in seen)))
    axes.barh(range(len(names)), shares, color=[_colour(name) for name in names])
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("% lost, all faults together")
    _plain(axes)


def _colour(name: str) -> str:
    if name == OURS:
        return OWN
    return FLOOR if name in FLOORS else OTHER


def _plain(axes: Any) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#e6e8ec", linewidth=0.6)
    axes.set_axisbelow(True)
