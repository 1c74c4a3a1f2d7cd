"""What `tuppence doctor` is told of each part on Google Cloud: a file for each, loaded when the doctor asks.

A look makes a call or two.
"""

from __future__ import annotations

from functools import partial

from tuppence import findings

looked = partial(findings.looked, console="the Google Cloud console")


def where(place: str) -> str:
    """Return in words what Google's addresses begin with, `projects/…/locations/…`."""
    _, project, _, region = place.split("/")
    return f"project {project}, {region}"
