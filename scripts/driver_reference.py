"""Writes docs/reference/drivers.md from the docstrings of `tuppence.drivers`, which are the contract.

python scripts/driver_reference.py
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from tuppence import drivers, findings

PAGE: Final = Path(__file__).parents[1] / "docs/reference/drivers.md"
INTRODUCTION: Final = """\
# Drivers

A driver is one adapter class for one kind of service on one provider. The five interfaces below are all that
a provider implements, and it may leave out any of them. This page is made from
[`tuppence.drivers`](../../core/src/tuppence/drivers.py), which is the contract. How a driver is found stands
under [hooks](hooks.md), what its errors mean under [errors](errors.md).

"""
INTERFACES: Final = (
    drivers.Driver,
    drivers.QueueDriver,
    drivers.StoreDriver,
    drivers.ComputeDriver,
    drivers.SchedulerDriver,
    drivers.MailerDriver,
)
CHOICES: Final = (drivers.Feature, drivers.Kind, drivers.Role, findings.State)
OF_VALUES: Final = (drivers.__name__, findings.__name__)
"""Modules whose value types are described."""


def page() -> str:
    """Return the page."""
    parts = [INTRODUCTION + _module_words()]
    parts += [_interface(cls) for cls in INTERFACES]
    parts += [_choices(cls) for cls in CHOICES]
    parts += [_values(), _constants()]
    return "\n".join(parts)


def _module_words() -> str:
    """Return what the module says after its first sentence, with lists as they are."""
    return _doc(drivers).partition("\n\n")[2] + "\n"


def _interface(cls: type) -> str:
    methods = {
        f"`{name}({_arguments(member)})`": _cell(member)
        for name, member in vars(cls).items()
        if inspect.isfunction(member) and not name.startswith("_")
    }
    return _section(f"`{cls.__name__}`", _doc(cls), *_declared(cls), _table("method | does", methods.items()))


def _declared(cls: type) -> list[str]:
    """Return the class's own attributes, each with what is said below it, or its type."""
    told = dict(_told(textwrap.dedent(inspect.getsource(cls))))
    types = {
        name: kind.removeprefix("ClassVar[").removesuffix("]") if kind.startswith("ClassVar") else kind
        for name, kind in inspect.get_annotations(cls).items()
    }
    return [f"`{name}`: {told.get(name) or f'`{kind}`.'}" for name, kind in types.items()]


def _arguments(method: Any) -> str:
    """Return the arguments of a method as they are written, without types."""
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty, default=inspect.Parameter.empty)
        for name, parameter in inspect.signature(method).parameters.items()
        if name != "self"
    ]
    return str(inspect.Signature(bare))[1:-1]


def _choices(cls: type[StrEnum]) -> str:
    """Return an enumeration: as a table where the comment behind each member says what it means."""
    meanings = dict(re.findall(r'^    \w+ = "(\w+)"  # (.*)$', inspect.getsource(cls), re.MULTILINE))
    if not meanings:
        return _section(f"`{cls.__name__}`", f"{_doc(cls)} {', '.join(f'`{one.value}`' for one in cls)}.")
    rows = [(f"`{one.value}`", meanings[one.value]) for one in cls]
    return _section(f"`{cls.__name__}`", _doc(cls), _table("value | means", rows))


def _values() -> str:
    """Return the value types."""
    types = [one for one in vars(drivers).values() if is_dataclass(one) and one.__module__ in OF_VALUES]
    rows = [(f"`{one.__name__}`", _fields(one), _cell(one)) for one in types if isinstance(one, type)]
    words = "Frozen, all of them. A field in brackets has a default."
    return _section("Values", words, _table("value | fields | is", rows))


def _constants() -> str:
    """Return the module's numbers and letters."""
    told = _told(inspect.getsource(drivers))
    rows = [(f"`{name}`", f"`{getattr(drivers, name)}`", words) for name, words in told]
    return _section("Constants", _table("name | value | is", rows))


def _fields(value: Any) -> str:
    """Return the names of a value's fields, those with a default in brackets."""
    optional = {
        one.name for one in fields(value) if one.default is not MISSING or one.default_factory is not MISSING
    }
    return " ".join(f"[`{one.name}`]" if one.name in optional else f"`{one.name}`" for one in fields(value))


def _told(source: str) -> Iterator[tuple[str, str]]:
    """Yield the assignments of a module or class that have a string below them, with that string."""
    body = ast.parse(source).body
    statements = body[0].body if len(body) == 1 and isinstance(body[0], ast.ClassDef) else body
    for one, below in pairwise(statements):
        if isinstance(one, ast.AnnAssign) and isinstance(below, ast.Expr):
            yield ast.unparse(one.target), " ".join(str(ast.literal_eval(below.value)).split())


def _cell(thing: Any) -> str:
    """Return a docstring as one cell of a table; its list of attributes becomes sentences."""
    text, _, attributes = _doc(thing).partition("\n\nAttributes:\n")
    told = re.sub(r"\n\s{8,}", " ", attributes.strip("\n"))
    sentences = [
        f"`{name}`: {words.rstrip('.')}."
        for name, words in re.findall(r"^ *(\w[\w, ]*): (.*)$", told, re.MULTILINE)
    ]
    return " ".join([" ".join(text.split()), *sentences]).replace("|", "\\|")


def _doc(thing: Any) -> str:
    return inspect.getdoc(thing) or ""


def _table(head: str, rows: Iterable[tuple[str, ...]]) -> str:
    line = " | ".join("---" for _ in head.split("|"))
    return "\n".join([f"| {head} |", f"| {line} |", *(f"| {' | '.join(row)} |" for row in rows)])


def _section(heading: str, *paragraphs: str) -> str:
    return "\n\n".join([f"## {heading}", *paragraphs]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
