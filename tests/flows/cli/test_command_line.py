"""The command line as a person or a script meets it: help, sentences for mistakes, exit codes, lines for programs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager

import pandas as pd
import pytest
import typer

from data.errors import ExitCode
from flows.cli.app import answer, app
from flows.cli.console import show_error, show_frame, show_summary
from flows.runtime.interrupt import INTERRUPTED
from tests.flows.filled import as_file, fill_and_compare, photo, posted

COMMANDS = {
    "demo", "ingest", "score", "run", "train", "evaluate", "models list", "models show", "models promote",
    "models rollback", "similar", "duplicates", "export", "schedule", "backfill", "monitor", "review",
    "doctor",
}  # fmt: skip
HEAVY = {"prefect", "pandas", "numpy", "sqlalchemy", "sklearn", "PIL"}
LISTING = "listing_id,seller_id,created_at,image_urls\na1,anna,2026-03-01T12:30:00Z,\n"
HOLD = """
import sys
from pathlib import Path
from flows.runtime.lock import hold
with hold(Path(sys.argv[1]), "ingest"):
    print("holding", flush=True)
    sys.stdin.read()
"""


def commands() -> dict[str, object]:
    """Every command that there is, by what is typed."""
    found = {}
    for name, command in typer.main.get_command(app).commands.items():
        inside = getattr(command, "commands", None)
        found |= {name: command} if inside is None else {f"{name} {sub}": one for sub, one in inside.items()}
    return found


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "listings.csv"
    path.write_text(LISTING)
    return path


@pytest.fixture
def ask(tmp_path, capsys):
    """Run a command on a home; return exit code, standard output and standard error."""

    def run(*arguments):
        code = answer(["--home", str(tmp_path / "home"), *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_commands_are_those_of_the_contract():
    assert set(commands()) == COMMANDS


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_shows_an_example_and_every_option(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    assert answer([*name.split(), "--help"]) == ExitCode.DONE
    shown = capsys.readouterr().out
    assert f"Example: seenbefore {name}" in shown or f"{name} --" in shown
    for parameter in commands()[name].params:
        assert parameter.name == "help" or parameter.help, f"{parameter.name} is not explained"
        if parameter.param_type_name == "option":
            assert all(option in shown for option in parameter.opts)


def test_help_needs_none_of_the_heavy_libraries():
    script = (
        "import sys; from flows.cli.app import answer; answer(['--help']); "
        f"print('loaded:', sorted({HEAVY!r} & set(sys.modules)))"
    )
    began = time.perf_counter()
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    print(f"seenbefore --help took {time.perf_counter() - began:.2f} s")
    assert shown.splitlines()[-1] == "loaded: []"


def test_without_a_command_the_help_is_shown(capsys):
    assert answer([]) == ExitCode.CALLER
    assert "Commands" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nosuch"], "No such command 'nosuch'"),
        (["ingest"], "Missing argument 'LISTINGS'"),
        (["ingest", "a.csv", "b.csv"], "unexpected extra argument"),
        (["ingest", "a.csv", "--images-root", "/no/such/folder"], "'/no/such/folder' does not exist"),
        (["score", "--since", "yesterday"], "expected a time such as 2026-01-31"),
        (["train", "--promote", "perhaps"], "'auto', 'never', 'always'"),
        (["export", "scores"], "Missing option '--out'"),
    ],
)
def test_a_mistake_in_the_arguments_is_named_with_how_to_use_the_command(ask, arguments, sentence):
    code, out, err = ask(*arguments)
    assert (code, out) == (ExitCode.CALLER, "")
    assert sentence in err
    assert "Usage: seenbefore" in err
    assert "--help" in err


@pytest.mark.parametrize("command", ["ingest", "run"])
def test_a_table_that_is_not_there_is_said_at_once_and_nothing_is_made(ask, tmp_path, command):
    code, _, err = ask(command, tmp_path / "nosuch.csv")
    assert code == ExitCode.CALLER
    assert "nosuch.csv: there is no such file or folder" in err
    assert not (tmp_path / "home").exists()


def test_every_missing_column_of_every_table_is_named_at_once_and_nothing_is_written(ask, tmp_path, table):
    labels = tmp_path / "labels.csv"
    labels.write_text("listing,verdict\na1,fraud\n")
    sellers = tmp_path / "sellers.csv"
    sellers.write_text("name\nanna\n")
    code, _, err = ask("ingest", table, "--sellers", sellers, "--labels", labels)
    assert code == ExitCode.CALLER
    for column in ("listing_id", "label", "labelled_at", "seller_id"):
        assert f"column {column} is missing" in err
    assert "did you mean listing?" in err
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("option", "sentences"),
    [
        (["--map", "offer=listing_id", "id=nosuch"], ["none of our tables has a column nosuch"]),
        (["--map", "offer=listing_id"], ["--map offer=listing_id: no table has a column offer"]),
        (["--map", "listing_id"], ["'listing_id' is not THEIRS=ours"]),
        (["--timezone", "Mars/Olympus"], ["'Mars/Olympus' is no time zone"]),
        (["--encoding", "klingon"], ["klingon"]),
    ],
)
def test_a_wrong_option_for_a_table_is_said_at_once_and_nothing_is_made(ask, tmp_path, table, option, sentences):
    code, _, err = ask("ingest", table, *option)
    assert code == ExitCode.CALLER
    assert all(sentence in err for sentence in sentences)
    assert not (tmp_path / "home").exists()


def test_a_time_without_a_zone_asks_for_the_option(ask, tmp_path):
    table = tmp_path / "listings.csv"
    table.write_text(LISTING.replace("Z", ""))
    code, _, err = ask("ingest", table)
    assert code == ExitCode.CALLER
    assert "--timezone" in err


def test_a_malformed_setting_is_named(ask, table, monkeypatch):
    monkeypatch.setenv("SEENBEFORE_WORKERS", "many")
    monkeypatch.setenv("SEENBEFORE_FETCH__TIMEOUT_S", "-1")
    code, _, err = ask("ingest", table)
    assert code == ExitCode.CALLER
    assert "SEENBEFORE_WORKERS" in err
    assert "SEENBEFORE_FETCH__TIMEOUT_S" in err


def test_a_database_that_does_not_answer_is_the_outside_worlds_fault(ask, table, monkeypatch):
    pytest.importorskip("psycopg")
    monkeypatch.setenv("SEENBEFORE_CATALOG_URL", "postgresql://reader:secret@127.0.0.1:1/market")
    code, _, err = ask("ingest", table)
    assert code == ExitCode.OUTSIDE
    assert "127.0.0.1" in err
    assert "secret" not in err


def test_a_home_that_cannot_be_made_is_the_outside_worlds_fault(tmp_path, table, capsys):
    (tmp_path / "file").touch()
    assert answer(["ingest", str(table), "--home", str(tmp_path / "file" / "home")]) == ExitCode.OUTSIDE
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_a_busy_home_is_named_with_its_holder(ask, tmp_path, table):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "home")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        code, _, err = ask("ingest", table)
        other.kill()
    assert code == ExitCode.CALLER
    assert f"ingest, process {other.pid}" in err
    assert "One run at a time" in err


@contextmanager
def failing(monkeypatch, error):
    """Let the first thing that a run does go wrong."""

    def fail(*_arguments, **_options):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("flows.start.check_tables", fail)
        yield


def test_an_interrupt_says_that_nothing_finished_is_lost(ask, table, monkeypatch):
    with failing(monkeypatch, KeyboardInterrupt()):
        code, out, err = ask("ingest", table)
    assert (code, out) == (INTERRUPTED, "")
    assert "Interrupted. What was finished is kept" in err


def test_what_nobody_foresaw_is_shown_whole_and_called_a_bug(ask, table, monkeypatch):
    with failing(monkeypatch, RuntimeError("the moon fell down")):
        code, _, err = ask("ingest", table)
    assert code == ExitCode.OUR_BUG
    assert "Traceback" in err
    assert "the moon fell down" in err
    assert "This is a bug in Seenbefore." in err


def test_a_full_disk_is_the_outside_worlds_fault(ask, table, monkeypatch):
    with failing(monkeypatch, OSError(28, "No space left on device", "/var/full")):
        code, _, err = ask("ingest", table)
    assert code == ExitCode.OUTSIDE
    assert "No space left on device" in err
    assert "/var/full" in err


def test_home_may_stand_before_or_behind_the_command(tmp_path, capsys):
    for arguments in (["--home", "one", "models", "list"], ["models", "list", "--home", "two"]):
        arguments = [str(tmp_path / word) if word in {"one", "two"} else word for word in arguments]
        assert answer(arguments) == ExitCode.DONE
    assert {folder.name for folder in tmp_path.iterdir()} >= {"one", "two"}
    assert "No model is kept yet" in capsys.readouterr().out


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    home = tmp_path_factory.mktemp("filled")
    context = fill_and_compare(home, *(posted(f"l{n}", f"s{n}", n, as_file(photo(0))) for n in range(3)))
    yield home
    context.catalog.close()


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["duplicates"], {"photo", "listing_id", "seller_id"}),
        (["export", "images", "--out", "{folder}/images.csv"], {"rows", "table", "written_to"}),
        (["doctor"], {"check", "state", "found", "advice"}),
        (["models", "list"], set()),
    ],
)
def test_json_lines_are_for_programs_and_stand_alone(filled, tmp_path, capsys, arguments, names):
    words = [word.format(folder=tmp_path) for word in arguments]
    assert answer(["--home", str(filled), *words, "--json"]) == ExitCode.DONE
    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    assert all(names <= row.keys() for row in rows)
    assert bool(rows) == bool(names)
    assert said.err == ""


def test_a_run_tells_programs_its_counts_and_people_its_stages(ask, tmp_path, table, prefect_server):
    code, out, err = ask("run", table, "--json")
    assert (code, err) == (ExitCode.DONE, "")
    summary = json.loads(out)
    assert (summary["listings_new"], summary["scored"]) == (1, 1)
    scores = tmp_path / "scores.csv"
    table.write_text(LISTING.replace("a1", "a2"))
    code, out, err = ask("ingest", table, "--map", "listing_id=listing_id", "seller_id=seller_id")
    assert code == ExitCode.DONE
    assert "reading listings: 1 done in" in err
    assert f"seenbefore --home {tmp_path / 'home'} score" in out
    code, out, _ = ask("score", "--out", scores)
    assert code == ExitCode.DONE
    assert str(scores) in out
    assert pd.read_csv(scores)["listing_id"].tolist() == ["a2"]


def test_where_scores_cannot_be_written_is_said_before_the_work(ask, tmp_path):
    code, _, err = ask("score", "--out", tmp_path / "scores.docx")
    assert code == ExitCode.CALLER
    assert "scores.docx" in err


LONG = "/".join(["a-folder-with-a-long-name"] * 12)


def test_nothing_is_broken_over_lines(capsys):
    show_error(f"Cannot read {LONG}. Check the path.")
    show_summary("Done", {"written_to": LONG}, next_steps=(f"open {LONG}",), as_json=False)
    show_frame(pd.DataFrame({"one": [LONG[:50]], "other": [LONG[:50]], "third": [LONG[:50]]}), title="", as_json=False)
    said = capsys.readouterr()
    assert LONG in said.err
    assert said.out.count(LONG) == 2
    assert any(line.count(LONG[:50]) == 3 for line in said.out.splitlines())


def test_what_a_stranger_wrote_does_nothing_to_the_terminal(capsys):
    show_frame(pd.DataFrame({"title": ["[red]\x1b[2Jsofa[/]"]}), title="", as_json=False)
    shown = capsys.readouterr().out
    assert "\x1b[2J" not in shown
    assert "[red]⟨U+001B⟩[2Jsofa[/]" in shown


def test_frames_become_json_with_null_for_missing(capsys):
    frame = pd.DataFrame(
        {
            "text": ["a", None], "number": [1.5, float("nan")], "count": pd.array([2**63, None], dtype="UInt64"),
            "at": pd.to_datetime(["2026-01-02", None], utc=True), "many": [[1], []],
        }
    )  # fmt: skip
    show_frame(frame, title="", as_json=True)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        {"text": "a", "number": 1.5, "count": 2**63, "at": "2026-01-02T00:00:00+00:00", "many": [1]},
        {"text": None, "number": None, "count": None, "at": None, "many": []},
    ]


def test_a_reader_that_has_enough_of_our_output_is_no_error(tmp_path) -> None:
    command = [
        sys.executable,
        "-c",
        "from flows.cli.app import main; main()",
        "--home",
        str(tmp_path),
        "doctor",
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as doctor:
        assert doctor.stdout is not None
        assert doctor.stderr is not None
        doctor.stdout.close()
        told = doctor.stderr.read().decode()
        assert (doctor.wait(), "Broken pipe" in told, "Error" in told) == (ExitCode.DONE, False, False), told
