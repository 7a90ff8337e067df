"""What holds for every test, in whichever process it runs."""

from __future__ import annotations

import socket
import warnings

import pytest


def test_a_warning_is_an_error():
    with pytest.raises(UserWarning, match="nobody reads this"):
        warnings.warn("nobody reads this", stacklevel=1)


# The blocked connection is told as a warning first, which is an error.
@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"], ids=["IPv4", "IPv6"])
def test_the_network_is_closed(address):
    with pytest.raises(UserWarning, match="tried to use socket"):
        socket.create_connection((address, 80), timeout=0.1)


def test_a_worker_starts_no_workers(pytestconfig):
    assert not (hasattr(pytestconfig, "workerinput") and pytestconfig.option.numprocesses)
