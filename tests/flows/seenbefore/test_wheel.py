"""The wheel holds all that is needed, and answers beside a stranger's `data.py`."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
PACKAGES = ("data", "features", "models", "flows", "review", "seenbefore")
LIMIT_S = 600  # a run takes seconds; test machines are busy
# What the script does that an installer writes: Python puts the script's folder first on its path, not the present one.
START = """
import sys
from importlib.metadata import distribution
sys.argv[0] = "seenbefore"
[script] = distribution("seenbefore").entry_points.select(group="console_scripts", name="seenbefore")
print(distribution("seenbefore").locate_file(""), file=sys.stderr)
script.load()()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout; building it asks for no network."""
    folder = tmp_path_factory.mktemp("wheel")
    script = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    built = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return folder / built.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder that the wheel is unpacked into: it is pure Python, so that this is all an installer does."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a folder; the libraries come from this environment, our packages do not."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "SEENBEFORE_HOME": str(folder / "home"), **variables}
    command = [sys.executable, "-P", "-c", START, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )


def files_of(kind: str, *folders: str) -> set[str]:
    """Files below some folders of the checkout, by their path in it."""
    found = (file for folder in folders for file in (CHECKOUT / folder).rglob(kind))
    return {str(file.relative_to(CHECKOUT)) for file in found if file.is_file() and "__pycache__" not in file.parts}


@pytest.mark.slow
def test_every_file_of_the_packages_is_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    assert {f"{package}/py.typed" for package in PACKAGES} <= inside
    assert "seenbefore/__init__.py" in inside
    assert any(name.startswith("data/catalog/database/migrations/versions/0001") for name in inside)
    for wanted in (
        files_of("*.py", *PACKAGES[:-1]),
        files_of("*.html", "review/templates"),
        files_of("*", "review/static"),
        files_of("*.json", *PACKAGES[:-1]),
        files_of("*.mako", "data"),
    ):
        assert wanted
        assert wanted <= inside


@pytest.mark.slow
def test_it_answers_beside_a_strangers_module_of_the_same_name(installed, tmp_path, prefect_variables):
    (tmp_path / "data.py").write_text("raise RuntimeError('a stranger was imported')\n")
    version = run(installed, tmp_path, "--version")
    assert version.returncode == 0, version.stderr
    assert version.stdout.startswith("seenbefore ")
    assert version.stderr.strip() == str(installed)
    (tmp_path / "listings.csv").write_text("listing_id,seller_id,created_at,image_urls\na1,anna,2026-03-01T12:30Z,\n")
    scored = run(installed, tmp_path, "run", "listings.csv", "--json", **prefect_variables)
    assert scored.returncode == 0, scored.stderr
    exported = run(installed, tmp_path, "export", "scores", "--out", "scores.csv")
    assert exported.returncode == 0, exported.stderr
    assert "rule-" in (tmp_path / "scores.csv").read_text()


@pytest.mark.slow
def test_its_import_opens_a_home_from_where_it_was_installed(installed, tmp_path):
    script = "import seenbefore, models; print(seenbefore.open('home').listings().empty, models.__file__)"
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, "-P", "-c", script]
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["True", str(installed / "models" / "__init__.py")]
