"""The settings in force, and names that are none."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource, TomlConfigSettingsSource

from data.errors import ExitCode, SettingsError
from data.settings import Settings, load_settings
from flows.cli.doctor.finding import Finding, State, ok

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import BaseModel

PREFIX = "seenbefore_"
NESTED = "__"
MASK = "…"
# `user:password@` of a URL, and parameters of one that are named like a secret.
PASSWORD = re.compile(r"(://[^/@\s]*?:)[^@\s]+(@)")
SECRET = re.compile(r"((?:password|passwd|secret|token|key|signature)[^=&\s]*=)[^&\s]+", re.IGNORECASE)


def settings_found(home: Path | None) -> tuple[Settings | None, list[Finding]]:
    """Read the settings; return them, if they can be used, and what was found."""
    try:
        settings = load_settings(home)
    except SettingsError as error:
        advice = "Set it as docs/settings.md says."
        return None, [
            Finding("setting", State.BAD, masked(problem), advice, ExitCode.CALLER) for problem in error.problems
        ]
    return settings, [*_in_force(settings), *_unknown()]


def masked(text: str) -> str:
    """Return a text without the passwords and keys in its URLs.

    Examples
    --------
    >>> masked("postgresql://ann:secret@db/market?sslkey=abc&connect_timeout=3")
    'postgresql://ann:…@db/market?sslkey=…&connect_timeout=3'
    """
    return SECRET.sub(rf"\1{MASK}", PASSWORD.sub(rf"\1{MASK}\2", text))


def _in_force(settings: Settings) -> list[Finding]:
    defaults = Settings.model_construct()
    changed = [f"{name}={masked(str(value))}" for name, value in _changed(settings, defaults, PREFIX.upper())]
    return [ok("settings", ", ".join(changed) or "all at their defaults")]


def _changed(present: BaseModel, default: BaseModel, prefix: str) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name in type(present).model_fields:
        here, there = getattr(present, name), getattr(default, name)
        if here == there:
            continue
        named = f"{prefix}{name.upper()}"
        found += _changed(here, there, named + NESTED) if hasattr(here, "model_fields_set") else [(named, here)]
    return found


def _unknown() -> list[Finding]:
    known = set(Settings.model_fields)
    environment = [*EnvSettingsSource(Settings).env_vars, *DotEnvSettingsSource(Settings).env_vars]
    named = {name.removeprefix(PREFIX).partition(NESTED)[0] for name in environment if name.startswith(PREFIX)}
    strange = sorted((named | set(TomlConfigSettingsSource(Settings).toml_data)) - known)
    return [_strange(name, known) for name in strange]


def _strange(name: str, known: set[str]) -> Finding:
    near = get_close_matches(name, known, n=1)
    meant = f"Did you mean SEENBEFORE_{near[0].upper()}?" if near else "docs/settings.md lists all settings."
    return Finding("setting", State.WARN, f"SEENBEFORE_{name.upper()} is not a setting and has no effect", meant)
