"""Fuzz every target for a share of FUZZ_SECONDS, two at a time, and keep what reached new code: make fuzz."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha1
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).parents[1]
CORPUS: Final = ROOT / "tests" / "fuzz" / "corpus"
FOUND: Final = ROOT / "tests" / "fuzz" / "found"
WORK: Final = ROOT / ".fuzz"
"""What grows from run to run: inputs that are not kept in the repository, and findings."""
TARGETS: Final = sorted(path.stem for path in (ROOT / "fuzz" / "targets").glob("[a-z]*.py"))
AT_ONCE: Final = 2
LIMITS: Final = ("-timeout=10", "-rss_limit_mb=1024")
"""Seconds and MiB that one input may take; the largest accepted message takes 0.5 s and 350 MiB."""
MOST_FILES: Final = 36
MOST_BYTES: Final = 120 * 1024
"""Kept of one target, so that all stay below 300 files and 1 MB."""


@dataclass(frozen=True)
class Outcome:
    """What fuzzing one target came to."""

    target: str
    executions: int
    edges: int
    features: int
    findings: list[Path]
    told: str


def main() -> int:
    """Fuzz, keep, report; 1 on a finding."""
    if find_spec("atheris") is None:
        print("make fuzz needs atheris, which has packages for Linux on x86-64 only: there is none for here.")
        return 0
    seconds = int(os.environ.get("FUZZ_SECONDS", "600"))
    share = max(1, seconds * AT_ONCE // len(TARGETS))
    print(f"{len(TARGETS)} targets, {share} s each, {AT_ONCE} at a time", flush=True)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        outcomes = list(threads.map(lambda target: _fuzzed(target, share), TARGETS))
        list(threads.map(_keep, [outcome.target for outcome in outcomes if not outcome.findings]))
    print(f"\n{'target':10}{'executions':>12}{'edges':>8}{'features':>10}{'kept':>6}{'findings':>10}")
    for one in outcomes:
        kept = len(list((CORPUS / one.target).iterdir()))
        print(
            f"{one.target:10}{one.executions:12,}{one.edges:8,}{one.features:10,}{kept:6}{len(one.findings):10}"
        )
    for one in outcomes:
        for path in one.findings:
            print(f"\n{one.target}: {path.relative_to(ROOT)}\n{one.told}")
    return int(any(one.findings for one in outcomes))


def _fuzzed(target: str, seconds: int) -> Outcome:
    """Fuzz one target, from what is kept, what was found before and valid inputs."""
    grown, findings = WORK / "corpus" / target, WORK / "findings" / target
    for folder in (grown, findings, CORPUS / target, FOUND / target):
        folder.mkdir(parents=True, exist_ok=True)
    before = set(findings.iterdir())
    module = import_module(f"targets.{target}")
    for seed in module.seeds():
        _write(grown, seed)
    dictionary = WORK / f"{target}.dict"
    dictionary.write_text("".join(f'"{_escaped(word)}"\n' for word in module.WORDS), encoding="ascii")
    printed = _libfuzzer(
        target,
        *LIMITS,
        f"-max_total_time={seconds}",
        f"-max_len={getattr(module, 'MAX_LEN', 4_096)}",
        f"-dict={dictionary}",
        f"-artifact_prefix={findings}/",
        *map(str, (grown, CORPUS / target, FOUND / target)),
    )
    print(f"  {target} is done", flush=True)
    fresh = sorted(set(findings.iterdir()) - before)
    executions = _last(r"stat::number_of_executed_units: (\d+)", printed)
    if not executions and not fresh:
        raise SystemExit(f"{target} did not run:\n{printed}")
    return Outcome(
        target,
        executions,
        _last(r"cov: (\d+)", printed),
        _last(r"ft: (\d+)", printed),
        fresh,
        "\n".join(re.findall(r"^(?:\w*Error.*|ALARM.*|SUMMARY.*|  File .*)$", printed, re.MULTILINE)[-12:]),
    )


def _keep(target: str) -> None:
    """Replace what is kept of a target by the fewest, smallest inputs that reach the same code."""
    kept = CORPUS / target
    with TemporaryDirectory() as name:
        merged = Path(name)
        _libfuzzer(
            target,
            *LIMITS,
            "-merge=1",
            "-use_counters=0",
            *map(str, (merged, kept, WORK / "corpus" / target)),
        )
        inputs = sorted((path.read_bytes() for path in merged.iterdir()), key=lambda data: (len(data), data))
    if not inputs:
        return
    for path in kept.iterdir():
        path.unlink()
    size = 0
    for data in inputs[:MOST_FILES]:
        size += len(data)
        if size <= MOST_BYTES:
            _write(kept, data)


def _libfuzzer(target: str, *options: str) -> str:
    """Run libFuzzer on a target; return what it printed."""
    command = WORK / target
    if not command.exists():  # libFuzzer starts itself again when it merges, by its name and in a shell
        command.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" "{ROOT}/fuzz/one.py" "$0" "$@"\n', encoding="utf-8"
        )
        command.chmod(0o755)
    done = subprocess.run(
        [command, "-print_final_stats=1", *options],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
    )
    return done.stdout + done.stderr


def _write(folder: Path, data: bytes) -> None:
    """Write an input under the hash of its content, as libFuzzer does."""
    (folder / sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _last(pattern: str, text: str) -> int:
    return int(([*re.findall(pattern, text)] or ["0"])[-1])


if __name__ == "__main__":
    sys.exit(main())
