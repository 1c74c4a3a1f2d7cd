"""Fuzz one target, or give it one input again: python fuzz/one.py TARGET [options, folders and files]."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # has an environment of its own

import tree


def main() -> None:
    """Fuzz with the rules of the target: bytes at random, or trees."""
    del sys.argv[0]
    with atheris.instrument_imports(include=["tuppence"]):
        target = import_module(f"targets.{Path(sys.argv[0]).name}")

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        changed = tree.mutated(data, longest, seed, target.WORDS) if seed % 8 else None
        return changed if changed is not None else bytes(atheris.Mutate(data, longest))

    rules = {"custom_mutator": mutate} if hasattr(target, "TREE") else {}
    atheris.Setup(sys.argv, target.check, **rules)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
