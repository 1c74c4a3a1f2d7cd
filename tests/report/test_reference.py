import re
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import msgspec

from tuppence.report.document import Report

PAGE = (Path(__file__).parents[2] / "docs/reference/report-json.md").read_text(encoding="utf-8")


def fields(struct):
    """Every field's name, also of what is nested."""
    for name, hint in get_type_hints(struct).items():
        yield name
        for kind in (hint, *get_args(hint)):
            if get_origin(kind) is None and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
                yield from fields(kind)


def test_every_field_of_the_document_is_described():
    described = set(re.findall(r"[a-z_0-9]+", " ".join(re.findall(r"`([^`]+)`", PAGE))))

    assert sorted(set(fields(Report)) - described) == []
