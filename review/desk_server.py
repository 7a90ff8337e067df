"""The desk as a program: ``seenbefore review`` runs ``python -m review.desk_server`` in its own place."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from data.errors import ExitCode, SeenbeforeError
from data.settings import load_settings
from models.serving.context import open_context
from models.serving.decoding.worker_pool import workers_for
from models.serving.pictures.picture_index import open_index
from models.serving.scoring.open_cases import open_missing_cases
from models.serving.scoring.scoring_warmup import warm_up
from review.access.authentication import TokenAuthenticator, authenticator_for
from review.access.sessions import Sessions, stored_secret
from review.application import create_app
from review.pages import sign_in_page

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.serving.context import Context

PORT = 8484
STOP_WITHIN_S = 5


class Server(uvicorn.Server):
    """A server that says where it is once it listens."""

    greeting: tuple[str, ...] = ()

    async def startup(self, sockets: object = None) -> None:
        """Begin to listen, then say so."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            for line in self.greeting:
                print(line, flush=True)


def serve(home: Path | None, host: str, port: int) -> None:
    """Serve the desk of a home until somebody stops it.

    Raises
    ------
    SeenbeforeError
        A setting is wrong, or the catalog or the picture store cannot be used.
    """
    settings = load_settings(home)
    sessions = Sessions(stored_secret(settings.home / "desk" / "secret"))
    authenticator = authenticator_for(settings.desk, sessions, host)
    context = open_context(settings)
    # What the first search would wait for: the compiled search, the known pictures, a process that opens pictures.
    workers_for(settings.decode).prepare()
    open_index(context, datetime.now(UTC))
    open_missing_cases(context)
    server = Server(
        uvicorn.Config(
            create_app(context, authenticator),
            host=host,
            port=port,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
    )
    at = f"http://{'[' + host + ']' if ':' in host else host}:{port}"
    address = (
        f"{at}{sign_in_page.PATH}?token={authenticator.token}" if isinstance(authenticator, TokenAuthenticator) else at
    )
    server.greeting = (
        f"The desk of {settings.home} is open: {address}",
        "The address opens it once, for one browser."
        if isinstance(authenticator, TokenAuthenticator)
        else "Sign in as your team does.",
        "Ctrl-C closes it; what was decided stays.",
    )
    threading.Thread(target=_warm_up, args=(context,), name="warmup", daemon=True).start()
    server.run()
    if not server.started:
        raise SystemExit(ExitCode.OUTSIDE)


def _warm_up(context: Context) -> None:
    """Score a made-up listing, so that the first real one waits for nothing; the desk works without, only slower."""
    try:
        warm_up(context, datetime.now(UTC))
    except SeenbeforeError as error:
        logging.getLogger(__name__).warning("The first listing that is scored will take longer: %s", error)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and serve."""
    options = argparse.ArgumentParser(prog="seenbefore review", description=serve.__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--host", default="127.0.0.1")
    options.add_argument("--port", type=int, default=PORT)
    given = options.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    try:
        serve(given.home, given.host, given.port)
    except SeenbeforeError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
