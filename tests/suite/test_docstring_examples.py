"""What examples in docstrings show is what they give."""

from __future__ import annotations

import doctest
import re
from importlib import import_module
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("data", "features", "models", "flows", "review")
FILES = sorted(file for package in PACKAGES for file in (CHECKOUT / package).rglob("*.py"))
EXAMPLE = re.compile(r"^ *>>> (?!.*doctest: \+SKIP)", re.MULTILINE)
NAMES = [
    ".".join(file.relative_to(CHECKOUT).with_suffix("").parts) for file in FILES if EXAMPLE.search(file.read_text())
]


@pytest.mark.parametrize("name", NAMES)
def test_the_examples_in_docstrings_hold(name):
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
