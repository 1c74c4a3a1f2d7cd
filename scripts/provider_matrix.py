"""Writes docs/reference/providers.md from the contracts' results: `make matrix`.

With `--compare`, it writes nothing and says where the results of a run are not those that are committed:
`make test` has run every contract anyway.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tuppence.drivers import Kind
from tuppence.testing.results import Suite, read

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs/reference/provider-results"
PAGE = ROOT / "docs/reference/providers.md"
INTRODUCTION = """\
# Providers

What each provider's drivers were held to, and how it went. `make matrix` writes this page from what the
[contract tests](contract-tests.md) found; nothing in it is written by hand. A cell counts tests that passed,
of all that belong to the promise; each one that is missing is named at the end, with its reason.
"""
WORDS = {
    "failed": "failed",
    "xfailed": "named gap",
    "xpassed": "marked as a gap, and passed",
    "skipped": "skipped",
}


def main() -> None:
    """Read every provider's results, and write the page or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of JSON files")
    parser.add_argument("--page", type=Path, default=PAGE, help="what to write")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="the results of a run of all contracts")
    options = parser.parse_args()
    if options.compare:
        differing = differences(read(options.compare).suites, suites_in(options.results))
        hint = "run `make matrix`, and commit what it writes"
        sys.exit("\n".join([*differing, hint]) if differing else 0)
    options.page.write_text(page(suites_in(options.results)), encoding="utf-8")


def suites_in(folder: Path) -> list[Suite]:
    """Return the suites of all files, providers and kinds in order."""
    suites = [suite for path in sorted(folder.glob("*.json")) for suite in read(path).suites]
    return sorted(suites, key=lambda suite: (suite.provider, list(Kind).index(Kind(suite.kind)), suite.name))


def differences(found: list[Suite], committed: list[Suite]) -> list[str]:
    """Return what a run found that is not committed, of providers whose results are."""
    providers = {suite.provider for suite in committed}
    now = {(suite.provider, suite.name): suite for suite in found if suite.provider in providers}
    then = {(suite.provider, suite.name): suite for suite in committed}
    return [
        f"{provider} {name}: {_difference(now.get((provider, name)), then.get((provider, name)))}"
        for provider, name in sorted(now.keys() | then.keys())
        if now.get((provider, name)) != then.get((provider, name))
    ]


def _difference(now: Suite | None, then: Suite | None) -> str:
    if now is None or then is None:
        return "was not run" if now is None else "is new"
    fields = [field for field in Suite.__struct_fields__ if getattr(now, field) != getattr(then, field)]
    return f"differs in {', '.join(fields)}"


def page(suites: list[Suite]) -> str:
    """Return the whole page."""
    parts = [INTRODUCTION, *_drivers(suites)]
    for kind in Kind:
        of_kind = [suite for suite in suites if suite.kind == kind.value]
        if of_kind:
            parts += _promises(kind, of_kind)
    parts += _gaps(suites)
    return "\n".join(parts).rstrip("\n") + "\n"


def _drivers(suites: list[Suite]) -> Iterator[str]:
    yield "## Drivers\n"
    head = ("provider", "kind", "driver", "from", "tested against", "features", "one call takes")
    yield _table(head, (_driver(suite) for suite in suites))
    missing = [
        f"- {provider} offers a {kind} that no contract was run on."
        for provider in dict.fromkeys(suite.provider for suite in suites)
        for kind in _unheld(provider, suites)
    ]
    if missing:
        yield "\n".join(missing) + "\n"


def _driver(suite: Suite) -> tuple[str, ...]:
    return (
        suite.provider,
        suite.kind,
        f"`{suite.driver.partition(':')[2]}`",
        suite.distribution or "?",
        suite.counterpart or "not said",
        ", ".join(f"`{feature}`" for feature in suite.features) or "-",
        _limits(suite.limits),
    )


def _limits(limits: Mapping[str, int]) -> str:
    if not limits:
        return "-"
    each, together = _bytes(limits["item_bytes"]), _bytes(limits["batch_bytes"])
    return f"{limits['batch_items']} items of {each}, {together} together"


def _unheld(provider: str, suites: list[Suite]) -> list[str]:
    own = [suite for suite in suites if suite.provider == provider]
    declared = {kind for suite in own for kind in suite.declared}
    return sorted(declared - {suite.kind for suite in own})


def _promises(kind: Kind, suites: list[Suite]) -> Iterator[str]:
    yield f"## {kind.value.capitalize()}\n"
    about = dict.fromkeys(promise for suite in suites for promise in suite.promises)
    head = ("promise", *(f"{suite.provider} {_short(suite)}" for suite in suites))
    yield _table(head, ((promise, *(_count(suite, promise) for suite in suites)) for promise in about))


def _count(suite: Suite, promise: str) -> str:
    """Say how many tests of a promise passed, of those that ran or should have run."""
    names = set(suite.promises.get(promise, ()))
    passed = sum(_function(test) in names for test in suite.passed)
    others = sum(_function(test) in names for test, _, _ in _not_passed(suite))
    return f"{passed} of {passed + others}" if names else "-"


def _not_passed(suite: Suite) -> Iterator[tuple[str, str, str]]:
    """Yield each test that did not simply pass: its name, what became of it, and why."""
    seen = set(map(_function, suite.passed))
    for outcome, words in WORDS.items():
        tests: dict[str, str] = getattr(suite, outcome)
        seen.update(map(_function, tests))
        yield from ((test, words, reason) for test, reason in sorted(tests.items()))
    promised = [name for names in suite.promises.values() for name in names]
    yield from ((name, "not run", "") for name in promised if name not in seen)


def _gaps(suites: list[Suite]) -> Iterator[str]:
    yield "## What did not pass\n"
    rows = [
        (
            suite.provider,
            suite.kind,
            _sentence(test),
            outcome,
            reason or "-",
            _short(suite),
            _elsewhere(test, suite, suites),
        )
        for suite in suites
        for test, outcome, reason in _not_passed(suite)
    ]
    if rows:
        yield _table(("provider", "kind", "promise", "outcome", "why", "in", "passed in"), rows)
    else:
        yield "Nothing: every test of every contract ran and passed.\n"


def _elsewhere(test: str, suite: Suite, suites: list[Suite]) -> str:
    """Return the provider's other suites of the kind in which a test passed."""
    others = [one for one in suites if (one.provider, one.kind) == (suite.provider, suite.kind)]
    return ", ".join(_short(one) for one in others if test in one.passed) or "-"


def _short(suite: Suite) -> str:
    return f"`{suite.name.removeprefix('Test')}`"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [_row(head), _row("---" for _ in head), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    escaped = (cell.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _function(test: str) -> str:
    return test.partition("[")[0]


def _sentence(test: str) -> str:
    """Return a test's name as the sentence it is."""
    name, bracket, parameters = test.partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({parameters.removesuffix(']')})" if bracket else words


def _bytes(count: int) -> str:
    for unit, size in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if count % size == 0:
            return f"{count // size:,} {unit}"
    return f"{count:,} bytes"


if __name__ == "__main__":
    main()
