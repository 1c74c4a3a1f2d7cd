"""The command line: a file for each command, and what they share in `app` and `output`."""

from __future__ import annotations

import sys


def main() -> None:
    """Run `tuppence` as the console script does."""
    from tuppence.cli.app import run

    sys.exit(run(sys.argv[1:]))
