"""The doctor sees what is wrong with a home, says what to do, and mends what needs no decision."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.catalog.database.engine import open_catalog
from data.catalog.database.frames import insert
from data.catalog.database.schema import fetches, images
from data.catalog.market.loads import begin_load
from data.catalog.scores.scores import PROMOTED, record_model
from data.errors import ExitCode
from flows.cli.app import answer
from flows.cli.doctor import installation_check
from flows.cli.doctor.configuration_check import masked
from flows.runtime.lock import hold, is_held
from models.serving.pictures.picture_index import open_index
from tests.flows.filled import as_file, fill_and_compare, photo, posted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that no run has written to yet."""
    return tmp_path / "home"


@pytest.fixture
def diagnose(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, dict[str, dict[str, str]]]]:
    """Run the doctor; return its exit code, and the worst finding of each check."""

    def examine(*options: str) -> tuple[int, dict[str, dict[str, str]]]:
        code = answer(["--home", str(home), "doctor", "--json", *options])
        findings = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
        findings.sort(key=lambda finding: ["ok", "warn", "bad"].index(finding["state"]))
        return code, {finding["check"]: finding for finding in findings}

    return examine


def catalog_with(home: Path, fill: Callable[[Connection], object]) -> None:
    """Make a catalog in a home and put something into it."""
    catalog = open_catalog(f"sqlite:///{home / 'catalog.sqlite'}")
    with catalog.write() as connection:
        fill(connection)
    catalog.close()


def test_a_machine_that_never_ran_anything_is_well_and_stays_untouched(diagnose, home: Path) -> None:
    code, findings = diagnose()
    assert code == ExitCode.DONE
    assert {finding["state"] for finding in findings.values()} == {"ok"}
    assert "created by the first run" in findings["catalog"]["found"]
    assert not home.exists()


def test_people_get_a_table_with_advice(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setenv("SEENBEFORE_ENGIN", "dask")
    assert answer(["--home", str(home), "doctor"]) == ExitCode.DONE
    told = capsys.readouterr().out
    assert "SEENBEFORE_ENGIN is not a setting" in told
    assert "→ Did you mean SEENBEFORE_ENGINE?" in told


def test_all_malformed_settings_are_named_and_it_ends_with_two(diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEENBEFORE_ENGINE", "gpu")
    monkeypatch.setenv("SEENBEFORE_FETCH__TIMEOUT_S", "soon")
    code = answer(["doctor", "--json"])
    assert code == ExitCode.CALLER
    _, findings = diagnose()
    assert "python" in findings
    assert findings["setting"]["state"] == "bad"


def test_settings_in_force_are_shown_without_their_secrets(diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEENBEFORE_CATALOG_URL", "postgresql://ann:hunter2@127.0.0.1:1/market")
    code, findings = diagnose()
    assert code == ExitCode.OUTSIDE, "nobody listens on that port"
    assert findings["catalog"]["state"] == "bad"
    assert "SEENBEFORE_CATALOG_URL=postgresql://ann:…@127.0.0.1:1/market" in findings["settings"]["found"]
    assert "hunter2" not in json.dumps(findings)


@given(password=st.text(st.characters(exclude_characters="@ \t\n\r", exclude_categories=("C", "Z")), min_size=8))
def test_no_password_of_a_url_is_ever_shown(password: str) -> None:
    shown = masked(f"could not reach postgresql://ann:{password}@db:5432/market at all")
    assert shown == "could not reach postgresql://ann:…@db:5432/market at all"


def test_a_library_beyond_its_cap_is_bad(diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    true_version = installation_check.find_version
    monkeypatch.setattr(
        installation_check, "find_version", lambda name: "0.160.0" if name == "fastapi" else true_version(name)
    )
    code, findings = diagnose()
    assert code == ExitCode.OUTSIDE
    assert "fastapi is 0.160.0" in findings["libraries"]["found"]


def test_hashes_that_are_made_the_slow_way_are_told_of(diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    _, findings = diagnose()
    assert findings["hashes"]["state"] == "ok"
    monkeypatch.setattr("flows.cli.doctor.hashes_check.warmup", lambda say: "phash differs from ImageHash")
    code, findings = diagnose()
    assert (code, findings["hashes"]["state"]) == (ExitCode.DONE, "warn")
    assert "phash differs" in findings["hashes"]["found"]


def test_an_engine_without_its_server_or_library_is_the_caller_s_mistake(diagnose, monkeypatch) -> None:
    monkeypatch.setenv("SEENBEFORE_ENGINE", "processes")
    code, findings = diagnose()
    assert code == ExitCode.CALLER
    assert "PREFECT_API_URL" in findings["prefect server"]["advice"]


def test_a_prefect_server_that_does_not_answer_is_bad(diagnose, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    code, findings = diagnose()
    assert code == ExitCode.OUTSIDE
    assert findings["prefect server"]["state"] == "bad"


def test_an_image_store_that_cannot_be_written_is_bad(diagnose, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("SEENBEFORE_IMAGES_URL", f"file://{tmp_path / 'file' / 'images'}")
    code, findings = diagnose()
    assert code == ExitCode.OUTSIDE
    assert findings["image store"]["state"] == "bad"


def test_the_probe_of_the_image_store_is_removed_again(diagnose, home: Path) -> None:
    home.mkdir()
    _, findings = diagnose()
    assert findings["image store"]["state"] == "ok"
    assert [path for path in (home / "images").rglob("*") if path.is_file()] == []


def test_a_file_that_is_no_catalog_is_bad(diagnose, home: Path) -> None:
    home.mkdir()
    (home / "catalog.sqlite").write_bytes(b"not a database, but long enough to be taken for one" * 100)
    code, findings = diagnose()
    assert code == ExitCode.OUTSIDE
    assert findings["catalog"]["state"] == "bad"


def test_damaged_pages_are_bad(diagnose, home: Path) -> None:
    home.mkdir()
    many = pd.DataFrame({"image_id": [f"{n:064}" for n in range(2000)], "status": "stored", "compared": 0})
    catalog_with(home, lambda connection: insert(connection, images, many))
    with (home / "catalog.sqlite").open("r+b") as file:
        file.seek(-4096 * 3, os.SEEK_END)
        file.write(b"\xff" * 4096 * 2)
    code, findings = diagnose()
    assert code == ExitCode.OUTSIDE
    assert "bad" in {findings[check]["state"] for check in ("catalog", "catalog pages") if check in findings}


def test_a_newer_schema_is_bad_and_an_older_one_is_brought_up_to_date(diagnose, home: Path) -> None:
    home.mkdir()
    path = home / "catalog.sqlite"
    sqlite3.connect(path).close()
    path.touch()
    code, findings = diagnose()
    assert (code, findings["catalog"]["state"]) == (ExitCode.DONE, "warn")
    _, findings = diagnose("--fix")
    assert "brought the catalog from schema none" in findings["mended"]["found"]
    assert findings["catalog"]["state"] == "ok"
    catalog_with(home, lambda connection: connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'"))
    code, findings = diagnose()
    assert (code, findings["catalog"]["state"]) == (ExitCode.OUTSIDE, "bad")


def test_a_champion_that_cannot_be_loaded_is_bad(diagnose, home: Path) -> None:
    home.mkdir()
    catalog_with(home, lambda connection: record_model(connection, "hgb-0123456789abcdef", PROMOTED, "test", NOW))
    code, findings = diagnose()
    assert code == ExitCode.OUTSIDE
    assert "hgb-0123456789abcdef" in findings["model"]["found"]


def test_what_waits_is_counted(diagnose, home: Path) -> None:
    home.mkdir()

    def fill(connection: Connection) -> None:
        begin_load(connection, "listings.csv of a killed run", NOW)
        addresses = pd.DataFrame(
            {
                "url_id": ["1", "2", "3", "4"],
                "image_url": ["a", "b", "c", "d"],
                "status": ["pending", "failed", "failed", "ok"],
                "reason": [None, "timeout", "timeout", "fetched"],
                "image_id": [None, None, None, "e" * 64],
                "attempts": 0,
            }
        )
        insert(connection, fetches, addresses)
        pictures = {"image_id": ["e" * 64, "f" * 64], "status": "hashed", "recipe": ["another", None], "compared": 0}
        insert(connection, images, pd.DataFrame(pictures))

    catalog_with(home, fill)
    code, findings = diagnose()
    assert code == ExitCode.DONE
    assert "killed run" in findings["loads"]["found"]
    assert findings["downloads"]["found"] == "1 never tried"
    assert findings["failed downloads"]["found"] == "2: timeout 2"
    assert findings["recipe"]["found"].startswith("1 pictures have fingerprints of another recipe")


def test_a_damaged_match_index_is_named_and_made_anew_when_told(diagnose, home: Path) -> None:
    context = fill_and_compare(home, posted("a", "ann", 1, as_file(photo(1).resize((200, 150)))))
    _, findings = diagnose()
    assert findings["match index"]["state"] == "ok"
    (segment,) = (home / "index").rglob("*.segment")
    content = bytearray(segment.read_bytes())
    content[-70] ^= 1
    segment.write_bytes(content)
    code, findings = diagnose()
    assert (code, findings["match index"]["state"]) == (ExitCode.OUTSIDE, "bad")
    assert segment.name in findings["match index"]["found"]
    code, findings = diagnose("--fix")
    assert (code, findings["match index"]["state"]) == (ExitCode.DONE, "ok")
    assert findings["mended"]["found"] == "made the match index anew from the catalog"
    assert len(open_index(context, datetime.now(UTC)).pictures.image_id) == 1
    _, findings = diagnose("--fix")
    assert findings["mended"]["found"] == "nothing needed repair"


def test_a_match_index_that_the_next_run_makes_anew_is_told_of(diagnose, home: Path) -> None:
    fill_and_compare(home, posted("a", "ann", 1, as_file(photo(1).resize((200, 150)))))
    (manifest,) = (home / "index").rglob("manifest.json")
    manifest.unlink()
    code, findings = diagnose()
    assert (code, findings["match index"]["state"]) == (ExitCode.DONE, "warn")


def test_mending_removes_what_killed_writers_left_but_nothing_young(diagnose, home: Path) -> None:
    incoming = home / "images" / "incoming"
    incoming.mkdir(parents=True)
    aside = home / "models" / ".keeping-x"
    aside.mkdir(parents=True)
    (aside / "card.json").write_text("{")
    (incoming / "old").write_bytes(b"half a pict")
    (incoming / "young").write_bytes(b"half a pict")
    long_ago = time.time() - timedelta(hours=2).total_seconds()
    os.utime(incoming / "old", (long_ago, long_ago))
    (home / "schedule.holder").write_text("schedule of a.csv, process 1, since then\n")
    _, findings = diagnose()
    assert "was killed: schedule of a.csv" in findings["schedule"]["found"]
    code, findings = diagnose("--fix")
    assert code == ExitCode.DONE
    assert [path.name for path in incoming.iterdir()] == ["young"]
    assert not aside.exists()
    assert findings["schedule"]["found"] == "none under way"
    _, findings = diagnose("--fix")
    assert findings["mended"]["found"] == "nothing needed repair"


def test_a_running_schedule_keeps_its_note(diagnose, home: Path) -> None:
    with hold(home, "schedule of a.csv", lock="schedule"):
        _, findings = diagnose("--fix")
        assert findings["schedule"]["found"].startswith("under way: schedule of a.csv")
        assert is_held(home, lock="schedule")
