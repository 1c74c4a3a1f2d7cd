"""The tables: for the terminal and for the documentation, from the same results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clients import EAGER, FLOORS, OURS

Results = Mapping[str, Any]
Row = tuple[str, ...]
PIPELINE = {
    "drain": ("drain, events a second", ",.0f"),
    "seal": ("seal, events a second", ",.0f"),
    "both": ("drain and seal, events a second", ",.0f"),
    "ratio": ("times as fast as reading the same as JSON", ".2f"),
    "seal_mb": ("memory while draining and sealing, MB", ",.0f"),
    "wire": ("bytes an event on the wire and as segment", ",.1f"),
    "numbers": ("bytes an event in rollups", ",.1f"),
    "texts": ("bytes an event in texts", ",.1f"),
    "report": ("a week's report, CPU seconds", ",.2f"),
    "report_mb": ("memory while reporting, MB", ",.0f"),
    "read_mb": ("read for the report, MB", ",.1f"),
}
"""What is measured of the pipeline: in words, and how it is written."""
NO_EXIT = {"SIGKILL", "SIGKILL, disk gone", "freeze"}
"""Faults in which a process is given no time to end."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table. Its name is how the page asks for it."""

    name: str
    title: str
    head: Row
    rows: Sequence[Row]


def tables(results: Results) -> Iterator[Table]:
    """Yield the tables that the results are enough for."""
    yield _clients(results)
    if "capture" in results:
        yield _calls(results["capture"])
        yield _delivery(results["capture"]["burst"])
        yield _footprint(results["capture"])
    if "faults" in results:
        yield _faults(results, "lost", "Lost, of those captured", _lost)
        yield _faults(results, "doubled", "Counted twice, and in brackets: sent twice", _doubled)
        yield _faults(results, "longest", "The longest call, in ms", lambda one: _number(one["longest"]))
        ending = {name: seen for name, seen in results["faults"].items() if name not in NO_EXIT}
        if ending:
            yield _faults(
                {"faults": ending}, "exit", "From the order to end until the end, in seconds", _exit
            )
    if "latency" in results:
        yield _latency(results["latency"])
    if "pipeline" in results:
        yield _pipeline(results["pipeline"])


def _clients(results: Results) -> Table:
    rows = [
        (one["name"], one["version"] or "-", one["made"], one["mode"], one["ends"])
        for one in results["clients"]
    ]
    return Table("clients", "Clients", ("client", "version", "made by", "which means", "ended by"), rows)


def _calls(capture: Results) -> Table:
    head = ("client", "burst p50", "p99", "max", "÷ no-op", "500/s p50", "p99", "4 threads p50", "p99")
    floor = capture["burst"].get(FLOORS[0], {}).get("p50")
    rows = []
    for name, burst in capture["burst"].items():
        paced, threads = capture["paced"][name], capture["threads"][name]
        times = [_number(burst[key]) for key in ("p50", "p99", "max")]
        ratio = f"{burst['p50'] / floor:,.1f}" if floor else "-"
        others = [_number(run[key]) for run in (paced, threads) for key in ("p50", "p99")]
        rows.append((name, *times, ratio, *others))
    return Table("calls", "What a call takes its caller, in µs", head, rows)


def _delivery(burst: Results) -> Table:
    head = (
        *("client", "delivered", "by a successor", "lost", "sent twice"),
        *("CPU µs an event", "requests a 1,000", "bytes an event"),
    )
    rows: list[Row] = []
    for name, one in burst.items():
        if name in FLOORS:
            rows.append((name, "-", "-", "-", "-", _number(one["cpu"]), "-", "-"))
            continue
        share = f"{100 * (1 - (one['lost'] + one['later']) / one['captured']):.1f} %"
        rest = [_number(one[key]) for key in ("cpu", "requests", "bytes")]
        counts = [f"{one[key]:,}" for key in ("later", "lost", "copies")]
        rows.append((name, share, *counts, *rest))
    return Table("delivery", "A burst, from capture to delivered", head, rows)


def _footprint(capture: Results) -> Table:
    head = ("client", "first call after, ms", "CPU ms until sent", "added MB", "at most, in a burst, MB")
    rows = [
        (
            name,
            _number(one["start"]),
            _number(one["cpu"] / 1000),
            _number(one["memory"]),
            _number(capture["burst"][name]["peak"]),
        )
        for name, one in capture["cold"].items()
    ]
    return Table("footprint", "What having it costs: a cold start with one event", head, rows)


def _faults(results: Results, name: str, title: str, cell: Any) -> Table:
    faults = results["faults"]
    names = list(next(iter(faults.values())))
    rows = [(scenario, *(cell(seen[one]) for one in names)) for scenario, seen in faults.items()]
    return Table(name, title, ("fault", *names), rows)


def _lost(one: Results) -> str:
    raised = f", {one['raised']:,} raised" if one["raised"] else ""
    return f"{one['lost']:,}{raised}" + (f" of {one['calls']:,}" if one["lost"] else "")


def _doubled(one: Results) -> str:
    return f"{one['doubled']:,}" + (f" ({one['copies']:,})" if one["copies"] else "")


def _exit(one: Results) -> str:
    return "killed" if one["killed"] else f"{one['exit'] / 1000:.1f}"


def _latency(latency: Results) -> Table:
    head = ("", "p50 ms", "p95 ms", "p99 ms", "added p50", "added p95")
    named = [("without tuppence", latency["without"]), ("the same again", latency["again"])]
    named += [(f"queue {one['queue']}", one) for one in latency["recorded"]]
    named.append(("control: blocking", latency["control"]))
    keys = ("p50", "p95", "p99", "added_p50", "added_p95")
    rows: list[Row] = [(name, *(f"{one[key]:.2f}" for key in keys)) for name, one in named]
    return Table("latency", "How long callers wait for an answer that takes 12 ms", head, rows)


def _pipeline(found: Results) -> Table:
    head = ("", *(f"{int(volume):,} a month" for volume in found))
    rows: list[Row] = [
        (words, *(f"{one[key]:{form}}" for one in found.values())) for key, (words, form) in PIPELINE.items()
    ]
    return Table("pipeline", "From the queue to the report, on one core", head, rows)


def _number(value: float) -> str:
    """Return a number with about three digits that say something."""
    if value >= 100:  # noqa: PLR2004 - a hundred is three digits
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 - two


def peers(seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was seen of those that are neither ours nor a floor."""
    return {name: one for name, one in seen.items() if name not in {OURS, EAGER, *FLOORS}}
