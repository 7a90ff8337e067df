"""The command reference, written from the commands themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from flows.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFACE = """\
# Commands

`seenbefore COMMAND --help` prints the same. Every command takes `--home` as well. This page is generated:

    python -c "from flows.cli.command_reference import reference; print(reference(), end='')" > docs/commands.md
"""


def reference() -> str:
    """Return the command reference (Markdown, the text of ``docs/commands.md``)."""
    return "\n".join([PREFACE, *(_section(name, command) for name, command in commands())])


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name: ``seenbefore models show`` is ``models show``."""
    yield "", typer.main.get_command(app)
    yield from _below("", typer.main.get_command(app))


def _below(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from _below(f"{prefix}{name} ", command)
        else:
            yield prefix + name, command


def _section(name: str, command: Any) -> str:
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    table = ["| argument or option | meaning | default |", "|---|---|---|", *rows, ""] if rows else []
    example = [command.epilog, ""] if command.epilog else []
    return "\n".join([f"## seenbefore {name}".rstrip(), "", command.help or "", "", *example, *table])


def _row(parameter: Any) -> str:
    names = [parameter.metavar or parameter.name.upper()] if parameter.param_type_name == "argument" else parameter.opts
    spelled = ", ".join(f"`{name}`" for name in [*names, *parameter.secondary_opts])
    default = parameter.show_default if isinstance(parameter.show_default, str) else _default(parameter)
    return f"| {spelled} | {' '.join((parameter.help or '').split())} | {default} |".replace("  |", " |")


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    value = parameter.default
    if value is None or value is False or value == []:
        return ""
    return f"`{getattr(value, 'value', value)}`"
