"""A build that is walked through its commands."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

TRACING = Path(__file__).resolve().parents[1] / "tracing"


class Checkout:
    """A build with its environment, and a home for it.

    Parameters
    ----------
    root
        Of the checkout.
    work
        An empty folder for the home, tables and traces.
    hosts
        Which hosts on this machine pictures may come from.
    """

    def __init__(self, root: Path, work: Path, hosts: Sequence[str] = ()) -> None:
        self.root, self.work = root.resolve(), work
        work.mkdir()
        theirs = ("SEENBEFORE", "PREFECT", "PYTHON", "WALK")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
        self.environment["SEENBEFORE_FETCH__ALLOW_HOSTS"] = json.dumps(list(hosts))

    def start(self, *arguments: str, watched: bool = False) -> subprocess.Popen[str]:
        """Start a command of it."""
        environment = self.environment
        if watched:
            self.traces.mkdir(exist_ok=True)
            told = {"PYTHONPATH": str(TRACING), "WALK_ROOT": str(self.root), "WALK_INTO": str(self.traces)}
            environment = environment | told
        command = [str(self.root / ".venv/bin/seenbefore"), "--home", str(self.work / "home"), *arguments]
        with (self.work / "said.txt").open("a") as out:
            return subprocess.Popen(
                command, cwd=self.work, env=environment, text=True, stdout=subprocess.PIPE, stderr=out
            )

    def run(self, *arguments: str, watched: bool = False) -> None:
        """Run a command of it to its end."""
        with self.start(*arguments, watched=watched) as process:
            said, _ = process.communicate()
        if process.returncode:
            told = (self.work / "said.txt").read_text()[-3000:]
            raise SystemExit(f"{self.root}: {' '.join(arguments)} ended with {process.returncode}.\n{said}\n{told}")

    def table(self, name: str) -> pd.DataFrame:
        """Return an exported table."""
        out = self.work / f"{name}.csv"
        self.run("export", name, "--out", str(out))
        return pd.read_csv(out, dtype=str)

    def forget_traces(self) -> None:
        """Make room for the traces of another command."""
        shutil.rmtree(self.traces)

    @property
    def traces(self) -> Path:
        return self.work / "traces"
