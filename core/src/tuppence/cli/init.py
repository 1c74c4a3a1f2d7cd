"""`tuppence init`: a first configuration, with a comment on every line."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

import click
import msgspec

from tuppence import plugins
from tuppence.cli.app import Session, shared
from tuppence.cli.output import CommandError
from tuppence.config import load
from tuppence.errors import ConfigError, PluginError

NAME: Final = "tuppence.toml"
LONGEST_PROJECT: Final = 48

TEMPLATE: Final = """\
# What tuppence does for this project. Every setting: docs/reference/configuration.md.
# An environment variable wins over this file: TUPPENCE_REPORT__TO=me@example.com.

# Where queue, store, compute, scheduler and mailer come from.
provider = {provider}
# Keeps several projects apart in one store.
project = {project}
# Days, weeks and the hour of the mail are this zone's.
timezone = {timezone}

[capture]
flush_interval = "2m"        # how long events may wait before they are sent

[pipeline]
every = "15m"                # how often the queue is drained

[retention]
events = "30d"               # questions with their texts
rollups = "800d"             # numbers only

[report]
schedule = "0 7 * * MON"     # minute hour day month weekday, in the time zone above
# Who gets the mail: nobody while this is empty.
to = {to}
{tables}"""

LOCAL: Final = """
[queue]
path = "tuppence.db"         # queue and store may share a file; relative to this one

[store]
path = "tuppence.db"

# [mailer]                   # without a host, mails are written as .eml files
# host = "smtp.example.com"
# username = "me"
# password = { env = "SMTP_PASSWORD" }
"""

AWS: Final = """
# AWS asks for a region, which neither EC2 nor a plain container sets: set AWS_REGION wherever the
# application, the commands and `tuppence deploy` run, or write it below each of the five kinds.
# [queue]
# region = "eu-west-2"
"""
TABLES: Final = {"local": LOCAL, "aws": AWS}


@click.command()
@click.option("--provider", default="local", show_default=True, help="Where the five parts come from.")
@click.option("--project", help="Its name; the default is the folder's.")
@click.option("--timezone", help="An IANA zone, as in Europe/London; the default is this machine's.")
@click.option("--to", multiple=True, metavar="ADDRESS", help="Who gets the weekly mail; may be repeated.")
@shared
def init(
    session: Session, provider: str, project: str | None, timezone: str | None, to: tuple[str, ...]
) -> None:
    """Write a first tuppence.toml.

    Every line has its comment. A file that is there stays as it is.
    """
    place = Path(session.config_file or NAME).absolute()
    advice = _advice(provider)
    text = TEMPLATE.format(
        provider=_toml(provider),
        project=_toml(project or _project_of(place.parent)),
        timezone=_toml(timezone or _machine_zone()),
        to=_toml(to),
        tables=TABLES.get(provider, ""),
    )
    _check(text)
    try:
        with place.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise CommandError(
            f"{place} is there already and stays as it is.",
            "Edit it, or write another with `tuppence init --config FILE`.",
        ) from None
    session.output.say(f"Wrote {place}")
    session.output.say(advice)
    session.output.result({"config": str(place), "provider": provider})


def _toml(value: str | tuple[str, ...]) -> str:
    """Return a string or a list of strings as TOML, whose basic strings are JSON's."""
    return msgspec.json.encode(value).decode()


def _check(text: str) -> None:
    """Refuse to write what could not be read back."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder, NAME)
        draft.write_text(text, encoding="utf-8")
        try:
            load(draft, environ={})
        except ConfigError as error:
            raise ConfigError(str(error).removeprefix(f"{draft}: ")) from None


def _project_of(folder: Path) -> str:
    return re.sub(r"[^a-z0-9_-]+", "-", folder.name.lower()).strip("-")[:LONGEST_PROJECT] or "default"


def _machine_zone() -> str:
    """Return the machine's zone where it can be told, or UTC."""
    link = os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2]
    known = available_timezones()
    return next((zone for zone in (os.environ.get("TZ", ""), link) if zone in known), "UTC")


def _advice(provider: str) -> str:
    """Return what comes next, or refuse a provider's name that is a slip of the pen."""
    installed = plugins.load()
    try:
        found = installed.provider(provider)
    except PluginError as error:
        if installed.nearest(provider):
            raise
        return f"Before it works: {error}."
    command = "deploy --plan" if found.deployer else "doctor"
    return f"Look it over, then run `tuppence {command}`."
