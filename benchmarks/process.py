"""What every measured process is given: a home of its own, bytecode, credentials for nothing, no proxy."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

HOME: Final = Path(__file__).parent
_CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "eu-west-2",
    "AWS_DEFAULT_REGION": "eu-west-2",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def environment(home: Path) -> dict[str, str]:
    """Return the environment of a process that lives in `home` and finds this folder's modules.

    What it imports is kept compiled, as packages are once they are installed. Where a machine forbids that,
    each start would measure Python's compiler.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy")
        and not name.startswith(("TUPPENCE_", "XDG_"))
        and name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**kept, **_CREDENTIALS, "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": str(HOME)}
