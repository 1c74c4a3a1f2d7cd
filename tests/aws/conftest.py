"""The credentials of the contracts, for the other tests of the provider too."""

from contract.aws.conftest import _credentials, project

__all__ = ["_credentials", "project"]
