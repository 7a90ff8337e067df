"""Nothing that a killed test run started is left behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.postgres import server_programs

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60
# Starts something as tests do, says which process it is and where the run's folder lies, and waits to be killed.
RUN = """
import sys
from tests.watchdog import run_folder, watch
watch()
{start}
print(process_id, run_folder(), flush=True)
sys.stdin.read()
"""
PROCESS = """
import subprocess
command = [sys.executable, "-c", "import time; time.sleep(600)"]
process_id = subprocess.Popen(command, start_new_session=True).pid
"""
POSTGRES = """
from pathlib import Path
from tests.postgres import private_server, server_programs
server = private_server(server_programs())
process_id = Path(server.query["host"], "cluster", "postmaster.pid").read_text().split()[0]
"""
CHROMIUM = """
import shutil
import psutil
from playwright.sync_api import sync_playwright
driver = sync_playwright().start()
browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
process_id = next(each.pid for each in psutil.Process().children(recursive=True) if "chrom" in each.name())
"""


def needs(condition, what):
    return pytest.mark.skipif(not condition, reason=f"{what} is not installed")


@pytest.mark.parametrize(
    "start",
    [
        pytest.param(PROCESS, id="a process of its own session"),
        pytest.param(POSTGRES, id="PostgreSQL", marks=needs(server_programs(), "PostgreSQL")),
        pytest.param(CHROMIUM, id="Chromium", marks=needs(shutil.which("chromium"), "Debian's chromium")),
    ],
)
def test_what_a_killed_run_started_ends_and_its_folder_goes(start):
    command = [sys.executable, "-c", RUN.format(start=start)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        process_id, folder = run.stdout.readline().split()
        started = psutil.Process(int(process_id))
        watchdog = next(child for child in psutil.Process(run.pid).children() if folder in child.cmdline())
        family = [started, *started.children(recursive=True)]
        run.kill()
    assert psutil.wait_procs([*family, watchdog], timeout=PATIENCE_S)[1] == []
    assert not Path(folder).exists()
