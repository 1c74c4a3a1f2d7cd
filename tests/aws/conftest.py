"""The emulators and credentials of the contracts, for the other tests of the provider too."""

from contract.aws.conftest import _credentials, ministack_url, moto_url, project

__all__ = ["_credentials", "ministack_url", "moto_url", "project"]
