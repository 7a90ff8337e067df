"""What Prefect must be told before it is imported for the first time."""

from __future__ import annotations

import os
from pathlib import Path

from flows.runtime.orphans import mark_children

SERVER_START_LIMIT_S = 120  # the embedded server takes 10-20 s to start on two cores; Prefect's own limit is 20
KEEP_RUNS_S = 30 * 24 * 3600  # how long a served Prefect remembers a run; each takes some 10 kB a task


def prepare_prefect(home: Path, *, quiet: bool) -> None:
    """Point Prefect at our home; what the operator has set already stays.

    Parameters
    ----------
    home
        Folder that holds everything a run writes.
    quiet
        Whether Prefect's own log is left out, as on the command line, where progress and summaries take its place.
        Otherwise it goes to the Prefect server, where its pages show it, and not to the terminal.
    """
    defaults = {
        "PREFECT_HOME": str(home.resolve() / "prefect"),
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": str(SERVER_START_LIMIT_S),
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(KEEP_RUNS_S),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLI_PROMPT": "false",
        "DO_NOT_TRACK": "1",
        # Python puts the present folder first for what is started with -m, and it may hold a `data.py`.
        "PYTHONSAFEPATH": "1",
    }
    if quiet:
        # At the end of a run the embedded server prints harmless tracebacks of whatever it was doing. Libraries warn of
        # what is kept as an outcome anyway, such as each address that leads inside.
        levels = ("LEVEL", "ROOT_LEVEL", "INTERNAL_LEVEL", "SERVER_LEVEL")
        defaults |= {f"PREFECT_LOGGING_{level}": "CRITICAL" for level in levels}
    else:
        defaults |= {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL"}
    for name, value in defaults.items():
        os.environ.setdefault(name, value)
    # Prefect makes its home, but not the folders above it.
    Path(os.environ["PREFECT_HOME"]).mkdir(parents=True, exist_ok=True)
    mark_children(home)
