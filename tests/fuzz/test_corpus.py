"""What fuzzing has found reaches the same checks here, without the fuzzer."""

import random
from importlib import import_module
from pathlib import Path

import pytest

import tree
from tuppence import batch, redact
from tuppence.capture import packer
from tuppence.errors import BadBatch
from tuppence.pipeline import importer, intake, rollup
from tuppence.pipeline.identity import Identities

HERE = Path(__file__).parent
KEPT = HERE / "corpus"
TARGETS = sorted(path.stem for path in (HERE.parents[1] / "fuzz/targets").glob("[a-z]*.py"))
TREES = [name for name in TARGETS if hasattr(import_module(f"targets.{name}"), "TREE")]
MOST_FILES, MOST_BYTES = 300, 1_000_000


def check_of(target):
    return import_module(f"targets.{target}").check


def inputs(target):
    return [path.read_bytes() for kind in ("corpus", "found") for path in (HERE / kind / target).glob("*")]


@pytest.mark.parametrize("target", TARGETS)
def test_every_kept_input_is_read_as_promised(target):
    check = check_of(target)

    for data in (*inputs(target), *import_module(f"targets.{target}").seeds()):
        check(data)


def test_what_is_kept_stays_small():
    kept = [path for path in KEPT.rglob("*") if path.is_file()]

    assert {path.parent.name for path in kept} == set(TARGETS)
    assert len(kept) < MOST_FILES
    assert sum(path.stat().st_size for path in kept) < MOST_BYTES


PLANTED = {
    "batch": (batch, "_deltas", list),
    "sealed": (batch, "_check_columns", lambda header, columns: None),
    "tally": (Identities, "fresh", lambda self, header, columns: None),
    "intake": (intake, "hour_of", lambda time: "2026111601"),
    "lines": (importer, "hour_of", lambda time: "2026111601"),
    "frames": (packer, "hour_of", lambda time: "2026111601"),
    "records": (rollup, "_ordered", lambda value: {**value, "cells": {}}),
    "redact": (redact, "_LONG_WORD", b"never"),
}


@pytest.mark.parametrize("target", TARGETS)
def test_a_planted_bug_is_reported(target, monkeypatch):
    check = check_of(target)
    monkeypatch.setattr(*PLANTED[target])

    def replay():
        for data in inputs(target):
            check(data)

    with pytest.raises((AssertionError, ValueError, BadBatch)):
        replay()


@pytest.mark.parametrize("target", TREES)
def test_a_mutated_tree_can_still_be_decoded(target):
    module = import_module(f"targets.{target}")
    chance = random.Random(7)
    seeds = list(module.seeds())

    changed = [tree.mutated(chance.choice(seeds), 1 << 20, number, module.WORDS) for number in range(200)]

    decoded = [data for data in changed if data is not None]
    assert len(decoded) > 150
    for data in decoded:
        module.check(data)
