"""``seenbefore review``: the analysts' desk."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from flows.cli.options import settings_of

EXAMPLE = "Example: `seenbefore review --port 8484`"


def review(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any but this machine's own needs a way to sign in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8484,
) -> None:
    """Open the analysts' desk in the browser: the queue, the evidence side by side, and the verdicts."""
    settings = settings_of(context)
    # The desk knows no flows, and flows know no desk: it takes the place of this process.
    options = ["--home", str(settings.home.resolve()), "--host", host, "--port", str(port)]
    sys.stdout.flush()
    # -P: the present folder may hold packages of the same names as ours.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "review.desk_server", *options])  # noqa: S606  our own program
