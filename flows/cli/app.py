"""The command ``seenbefore``: registers the commands, and turns every ending into an exit code and a sentence."""

from __future__ import annotations

import os
import sys
import traceback
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data.errors import ExitCode, SeenbeforeError
from flows.cli.arguments import normalised
from flows.cli.commands import (
    backfill_command,
    demo_command,
    doctor_command,
    evaluate_command,
    export_command,
    ingest_command,
    models_command,
    monitor_command,
    review_command,
    run_command,
    schedule_command,
    score_command,
    train_command,
)
from flows.cli.console import STDERR, show_error
from flows.cli.lookup import duplicates_command, similar_command
from flows.runtime.interrupt import INTERRUPTED, ending_soon, leave, say_interrupted

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="seenbefore",
    help="Find fraudulent listings by their photos: where each was seen before, under which other seller, and when.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    demo_command,
    ingest_command,
    score_command,
    run_command,
    train_command,
    evaluate_command,
    similar_command,
    duplicates_command,
    export_command,
    schedule_command,
    backfill_command,
    monitor_command,
    review_command,
    doctor_command,
)
for command in COMMANDS:
    name = command.__name__.rpartition(".")[2].removesuffix("_command")
    app.command(name, epilog=command.EXAMPLE)(getattr(command, name))
app.add_typer(models_command.app, name="models")


def show_version(wanted: bool) -> None:
    """Print which version this is, and end."""
    if wanted:
        typer.echo(f"seenbefore {version('seenbefore')}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            help="Folder for everything a run writes. May also follow the command.",
            show_default="SEENBEFORE_HOME, else ./var",
        ),
    ] = None,
    shows_version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=show_version, is_eager=True)
    ] = False,
) -> None:
    """Keep what all commands share."""
    context.obj = home


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and end the process: 0 done, 1 our bug, 2 the caller's mistake, 3 the outside world."""
    with ending_soon():
        code = answer(sys.argv[1:] if arguments is None else arguments)
    if code == INTERRUPTED:
        leave(told=True)
    sys.exit(code)


def answer(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    try:
        command = typer.main.get_command(app)
        with command.make_context("seenbefore", normalised(arguments)) as context:
            command.invoke(context)
    except SeenbeforeError as error:
        show_error(error)
        return error.exit_code
    except typer.Exit as ending:
        return ending.exit_code
    except typer.TyperException as mistake:
        _show_mistake(mistake)
        return ExitCode.CALLER
    except (typer.Abort, KeyboardInterrupt):
        say_interrupted()
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough of it; what Python still holds back must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except OSError as error:
        show_error(error, advice=". Check the path, the disk or the network and try again.")
        return ExitCode.OUTSIDE
    except Exception:  # noqa: BLE001  the border of the program: whatever escapes is ours, and is shown whole
        traceback.print_exc()
        STDERR.print("[bold red]This is a bug in Seenbefore.[/] Nothing that was finished is lost; run it again.")
        return ExitCode.OUR_BUG
    return ExitCode.DONE


def _show_mistake(mistake: typer.TyperException) -> None:
    """Say what is wrong with the arguments, and how the command is used; who gave none has been shown the help."""
    sentence = mistake.format_message()
    context: typer.Context | None = getattr(mistake, "ctx", None)
    if not sentence:
        return
    if context is not None:
        STDERR.print(context.get_usage(), markup=False, highlight=False)
        STDERR.print(f"`{context.command_path} --help` explains every option.", markup=False, highlight=False)
    show_error(sentence)
