"""Writes the tables and the chart of docs/explanation/performance.md from the results beside it.

    .venv-bench/bin/python benchmarks/page.py

What stands between `<!-- name -->` and `<!-- /name -->` is written here; the rest by hand.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from goals import goals
from tables import Results, Table, tables

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "explanation/performance.md"
RESULTS = DOCS / "explanation/performance.json"
CHART = DOCS / "images/performance.svg"


def main() -> None:
    """Write the page, and the chart where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--chart", type=Path, help="where to draw the chart")
    options = parser.parse_args()
    results = json.loads(options.results.read_text(encoding="utf-8"))
    options.page.write_text(filled(options.page.read_text(encoding="utf-8"), results), encoding="utf-8")
    if options.chart:
        from chart import draw

        draw(results, options.chart)


def filled(page: str, results: Results) -> str:
    """Return the page with what the results say."""
    parts = {table.name: _markdown(table) for table in (goals(results), *tables(results))}
    parts["machine"] = _where(results)
    for name, text in parts.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = page.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise SystemExit(f"the page has no place for {name}")
        page = f"{before}{begin}{text}\n{end}{after}"
    return page


def _where(results: Results) -> str:
    told: dict[str, Any] = results["machine"]
    words = f"{told['processor']}, {told['cores']} cores, {told['system']}, {told['python']}"
    small = "with small numbers, to see that it works, " if results["quick"] else ""
    return f"Measured {small}on {results['taken']}: {words}."


def _markdown(table: Table) -> str:
    lines = [_row(table.head), _row("---" for _ in table.head), *map(_row, table.rows)]
    return "\n".join(lines)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    main()
