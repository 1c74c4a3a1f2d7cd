"""The names and signatures that applications rely on are those of the reference."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import tuppence

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "client.md").read_text(encoding="utf-8")
METHODS = ("capture", "question", "feedback", "flush", "aflush", "close")
WAYS = ("answered", "no_match", "refused", "error", "timeout", "rate_limited", "invalid", "aborted")
CALLS = {
    "Client": tuppence.Client,
    **{name: getattr(tuppence.Client, name) for name in METHODS},
    **{f"q.{name}": getattr(tuppence.Question, name) for name in WAYS},
    "tuppence.asgi.Middleware": tuppence.asgi.Middleware,
}
Kind = inspect.Parameter


def described(name):
    """Return the arguments that the page gives a call, by kind, and the defaults that it states."""
    written = re.search(rf"`(?:await )?{re.escape(name)}\(([^`…]*)\)", PAGE)[1]
    given = ast.parse(f"def call({written}): ...").body[0].args
    kinds = {
        Kind.POSITIONAL_ONLY: [one.arg for one in given.posonlyargs],
        Kind.POSITIONAL_OR_KEYWORD: [one.arg for one in given.args],
        Kind.KEYWORD_ONLY: [one.arg for one in given.kwonlyargs],
        Kind.VAR_KEYWORD: [given.kwarg.arg] if given.kwarg else [],
    }
    positional = [*given.posonlyargs, *given.args]
    stated = zip(positional[len(positional) - len(given.defaults) :], given.defaults, strict=True)
    pairs = [*stated, *zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return kinds, {one.arg: ast.literal_eval(default) for one, default in pairs if default is not None}


def taken(call):
    """Return the same of a function; what swallows surplus arguments is its own affair."""
    parameters = [one for one in inspect.signature(call).parameters.values() if one.name != "self"]
    kinds = {
        kind: [one.name for one in parameters if one.kind is kind]
        for kind in (Kind.POSITIONAL_ONLY, Kind.POSITIONAL_OR_KEYWORD, Kind.KEYWORD_ONLY, Kind.VAR_KEYWORD)
    }
    return kinds, {one.name: one.default for one in parameters if one.default is not Kind.empty}


def test_the_reference_lists_the_public_names_and_no_others():
    table = PAGE.partition("## Names")[2].partition("\n\nWhatever")[0].partition("| --- | --- |")[2]
    first_cells = " ".join(row.split("|")[1] for row in table.strip().splitlines())

    assert sorted(re.findall(r"`(\w+)`", first_cells)) == sorted(tuppence.__all__) == sorted(dir(tuppence))


@pytest.mark.parametrize("name", CALLS)
def test_a_call_takes_what_the_reference_says(name):
    kinds, defaults = described(name)

    really, really_defaults = taken(CALLS[name])

    assert kinds == really
    assert defaults.items() <= really_defaults.items()


def test_both_middlewares_take_the_same():
    assert taken(tuppence.asgi.Middleware) == taken(tuppence.wsgi.Middleware)
