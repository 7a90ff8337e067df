"""What holds for the project as a whole: the arrows between packages, and what no file may contain."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("constraints.txt", "requirements.lock")


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The tracked text files by name."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout: nothing says which files belong to the project")
    paths = [Path(name) for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    return {str(path): (ROOT / path).read_text(errors="replace") for path in paths if path.suffix != ".png"}


def test_the_arrows_between_packages_run_one_way(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    outcome = lint_imports(no_cache=True)
    assert outcome == 0, capsys.readouterr().out


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_pin_every_package_and_name_no_place_to_get_it_from(lock):
    lines = [line.split("#")[0].strip() for line in (ROOT / lock).read_text().splitlines()]
    requirements = [line for line in lines if line and not line.startswith("--hash=")]
    assert requirements
    assert [line for line in requirements if not re.match(r"[A-Za-z0-9._-]+(\[[^]]+\])?==\S+", line)] == []


def test_no_file_holds_unfinished_marks_or_paths_of_one_machine(texts):
    marks = re.compile(
        "|".join([r"\b" + "TO" + r"DO\b", "FIX" + "ME", "/home/" + r"\w", "/Us" + r"ers/\w", "/wo" + "rk/"])
    )
    found = {name: match.group() for name, text in texts.items() if (match := marks.search(text))}
    assert found == {}


def test_tests_have_unique_names_and_form_no_packages():
    files = [path for path in (ROOT / "tests").rglob("*.py") if path.name not in {"conftest.py", "__main__.py"}]
    assert len({path.name for path in files}) == len(files)
    assert [path for path in files if path.name == "__init__.py"] == []
