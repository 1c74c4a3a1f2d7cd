"""The option that lets tests reach a real account: without it they are left out, and with it all others."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = "live"
COST = "about $0.50 where no free allowance is left"


def pytest_addoption(parser):
    group = parser.getgroup("tuppence", "a real account")
    group.addoption(
        "--tuppence-live",
        action="store_true",
        help="run the contracts and a deployment on a real account, with the credentials the SDK finds",
    )
    group.addoption(
        "--tuppence-live-mail",
        metavar="ADDRESS",
        default="",
        help="where real mail goes to and comes from, known to the mail service; without it none is sent",
    )


def pytest_report_header(config):
    if not config.getoption("--tuppence-live"):
        return None
    where = os.environ.get("AWS_ENDPOINT_URL") or "a real account"
    mail = config.getoption("--tuppence-live-mail")
    mails = f"real mail goes to {mail}" if mail else "no mail is sent"
    return f"tuppence: makes and removes resources in {where}, which costs {COST}; {mails}"


def pytest_ignore_collect(collection_path, config):
    """Leave out the tests on a real account, or all others."""
    asked = config.getoption("--tuppence-live")
    if _is_live(collection_path):
        return None if asked else True
    return True if asked and collection_path.suffix == ".py" else None


def pytest_collection_modifyitems(config, items):
    """Leave them out also where their file was named: pytest does not ask about those."""
    if not config.getoption("--tuppence-live"):
        items[:] = [item for item in items if not _is_live(item.path)]


def _is_live(path):
    return path.is_relative_to(HERE) and FOLDER in path.relative_to(HERE).parts
