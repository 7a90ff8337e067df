"""What the tests of services share with those of flows: an environment that is put back."""

from tests.flows.conftest import _environment_put_back

__all__ = ["_environment_put_back"]
