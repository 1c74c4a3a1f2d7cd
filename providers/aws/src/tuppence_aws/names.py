"""The names of what is deployed: made from the project's, and within AWS's alphabets and lengths."""

from __future__ import annotations

from typing import Final

from tuppence.errors import ErrorCode
from tuppence_aws.errors import failure

LONGEST: Final = 64
"""Letters in the name of a function, a role or a schedule group (API references, read November 2026)."""
_USUAL: Final = ("aws", "amazonaws.com")
_PARTITIONS: Final = {
    "cn-": ("aws-cn", "amazonaws.com.cn"),
    "eu-isoe-": ("aws-iso-e", "cloud.adc-e.uk"),
    "eusc-": ("aws-eusc", "amazonaws.eu"),
    "us-gov-": ("aws-us-gov", "amazonaws.com"),
    "us-iso-": ("aws-iso", "c2s.ic.gov"),
    "us-isob-": ("aws-iso-b", "sc2s.sgov.gov"),
    "us-isof-": ("aws-iso-f", "csp.hci.ic.gov"),
}
"""Partition and domain by what regions begin with; a test compares them with the SDK's own table."""


def named(project: str, part: str, operation: str) -> str:
    """Return `tuppence-<project>-<part>`, or without a part `tuppence-<project>`. Raises `DriverError`."""
    name = "-".join(filter(None, ("tuppence", project, part)))
    if len(name) > LONGEST:
        words = f"{name} has {len(name)} letters, AWS allows {LONGEST}; choose a shorter `project`"
        raise failure(ErrorCode.INVALID, operation, words)
    return name


def partition_of(region: str) -> str:
    """Return what the region's ARNs begin with, after `arn:`."""
    return _place(region)[0]


def domain_of(region: str) -> str:
    """Return what the region's addresses end with."""
    return _place(region)[1]


def arn(service: str, region: str, resource: str, *, account: str = "") -> str:
    """Return the ARN of a resource, with `*` for a region or account that is not known.

    Where no region is known, neither is the partition; deployment puts in its own.
    """
    return f"arn:{partition_of(region)}:{service}:{region or '*'}:{account or '*'}:{resource}"


def _place(region: str) -> tuple[str, str]:
    return next((place for start, place in _PARTITIONS.items() if region.startswith(start)), _USUAL)
