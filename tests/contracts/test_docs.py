"""The documentation names every command, option, setting, exported column and feature, and none that is gone."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from data.catalog.export import EXPORTED, exported_columns
from data.settings import reference as settings_reference
from features.point_in_time.feature_frame import SPECS
from features.point_in_time.feature_reference import reference as feature_reference
from flows.cli.command_reference import commands
from flows.cli.command_reference import reference as command_reference

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
GENERATED = {
    "commands.md": command_reference,
    "features.md": feature_reference,
    "settings.md": settings_reference,
}
WRITTEN = [page for page in PAGES if page.name not in GENERATED]
FEATURES = tuple(spec.name for spec in SPECS)
SETTING = re.compile(r"`(?:export )?(SEENBEFORE_[A-Z_]+?)(?:=[^`]*)?`")
OF_TESTS = {"SEENBEFORE_HOME", "SEENBEFORE_FULL", "SEENBEFORE_ALL_PHOTOS", "SEENBEFORE_SHARED"}


def called() -> list[tuple[str, list[str]]]:
    """Each line of a page that runs our command, with the continued lines behind it."""
    lines = []
    for page in WRITTEN:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        blocks = re.findall(r"```(?:console|sh)\n(.*?)```", text, flags=re.DOTALL)
        lines += [(page.name, line) for block in blocks for line in block.splitlines()]
        lines += [(page.name, code) for code in re.findall(r"`(seenbefore [^`]+)`", text.replace("\n", " "))]
    words = [(name, shlex.split(line.removeprefix("$ "), comments=True)) for name, line in lines if "'" not in line]
    return [(name, line) for name, line in words if line[:1] == ["seenbefore"]]


def options_of(command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_say_what_the_code_says(name):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == GENERATED[name]()


def test_the_readme_lists_every_command():
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    names = {name.split(" ")[0] for name, _ in commands() if name}
    assert {name for name in names if f"`seenbefore {name}" not in table} == set()


def test_no_page_calls_a_command_or_an_option_that_is_gone():
    known = dict(commands())
    everywhere = {"--help", "-h", "--home", "--version"}
    lines = called()
    assert len(lines) > 30
    gone = []
    for page, line in lines:
        words = [word for word in line[1:] if word != "--home"]
        here = next((name for name in known if name and name.split(" ") == words[: len(name.split(" "))]), None)
        here = here or next((name for name in known if name and name.split(" ")[0] in words), None)
        if here is None:
            if not set(line[1:]) <= everywhere:
                gone.append((page, line))
            continue
        options = {word.split("=")[0] for word in words if re.fullmatch(r"--[a-z][a-z-]+(=.*)?", word)}
        allowed = everywhere.union(*(options_of(command) for name, command in known.items() if name.startswith(here)))
        gone += [(page, here, option) for option in options - allowed]
    assert gone == []


def test_no_page_names_a_setting_that_is_gone():
    known = set(SETTING.findall(settings_reference())) | OF_TESTS
    named = {(page.name, name) for page in WRITTEN for name in SETTING.findall(page.read_text(encoding="utf-8"))}
    assert len(named) > 20
    assert {
        (page, name) for page, name in named if name not in known and not name.startswith("SEENBEFORE_TEST_")
    } == set()


@pytest.mark.parametrize("table", sorted(set(EXPORTED) - {"images"}))  # images have a table of their own
def test_the_page_of_tables_lists_the_columns_of_every_export_in_order(table):
    page = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    section = page.partition("## Exported tables\n")[2].partition("\n## ")[0]
    row = next(line for line in section.splitlines() if line.startswith(f"| `{table}` |")).split(" | ")[2]
    columns = exported_columns(table)
    assert [name for name in re.findall(r"`([a-z_]+)`", row) if name in columns] == list(columns)


def test_every_feature_stands_in_the_reference():
    page = (ROOT / "docs" / "features.md").read_text(encoding="utf-8")
    assert {name for name in FEATURES if f"| `{name}` |" not in page} == set()


def test_links_and_paths_lead_somewhere():
    dead = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        links = [target for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text) if "://" not in target]
        paths = re.findall(r"`((?:data|features|models|flows|review|tests)/[\w/]*(?:\.\w+)?)`", text)
        dead += [(page.name, target) for target in links if not (page.parent / target).exists()]
        dead += [(page.name, path) for path in paths if not (ROOT / path).exists()]
    assert dead == []
