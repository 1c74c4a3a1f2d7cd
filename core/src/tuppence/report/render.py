"""Renders the report as HTML, as plain text, and as JSON."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import msgspec

from tuppence.report.compose import compose
from tuppence.report.document import Report
from tuppence.report.typeset import columns, hours, table, wrapped
from tuppence.report.view import WHOLE, Room, View

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_HTML: Final = 100_000
"""Bytes: mail readers cut off a longer mail."""
ROOMS: Final = (
    WHOLE,
    Room(topics=8, gaps=6, rows=4),
    Room(topics=5, gaps=4, rows=3),
    Room(topics=2, gaps=2, rows=2),
)
"""How much of its lists the mail shows: the first that fits."""
BAR: Final = 26
"""The height of the highest bar of the scoreboard, in pixels."""


def render_html(report: Report) -> str:
    """Return the mail as HTML under `MAX_HTML` bytes, its styles in place for readers that drop `<style>`."""
    return _fitting(report)[1]


def render_text(report: Report) -> str:
    """Return the mail as plain text of up to 72 columns, its lists as long as in the HTML."""
    return _environment().get_template("report.txt.j2").render(mail=_fitting(report)[0])


def _fitting(report: Report) -> tuple[View, str]:
    """Return the mail with the longest lists whose HTML is not too large."""
    for room in ROOMS:
        view = compose(report, room)
        page = _page(view)
        if len(page.encode()) < MAX_HTML:
            break
    return view, page


def _page(view: View) -> str:
    import css_inline

    page = _environment().get_template("report.html.j2").render(mail=view, bar=BAR)
    return css_inline.CSSInliner(load_remote_stylesheets=False).inline(page)


def render_json(report: Report) -> bytes:
    """Return the report as JSON in UTF-8, fields in the documented order."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n"


@cache
def _environment() -> Environment:
    """Return the templates' environment: HTML escaped, a name that is not there an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("tuppence.report", "templates"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"wrapped": wrapped, "columns": columns, "table": table, "hours": hours}
    return environment
