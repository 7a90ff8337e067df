"""Tables as files: each by its name, with the columns of the contract, and the scores of one run."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from data.catalog.database.frames import joined_keys
from data.catalog.scores.scores import save_features, save_scores
from data.settings import load_settings
from features.point_in_time.feature_frame import SPEC_FINGERPRINT, SPECS
from models.serving.export_tables import TABLES, write_scores_of
from tests.data.catalog.rows import day
from tests.flows.filled import as_file, ask, fill, photo, posted

NAMES = [spec.name for spec in SPECS]
SCORES = (
    "listing_id", "seller_id", "observed_at", "as_of", "score", "rank", "band", "model_id", "reasons",
    "first_seller_id", "first_listing_id", "matched_images", "images",
)  # fmt: skip
FIRST_COLUMNS = {
    "listings": ("listing_id", "seller_id", "created_at"),
    "images": ("image_id", "image_url", "listing_id", "status"),
    "matches": ("listing_id", "image_id", "seller_id", "observed_at", "other_listing_id"),
    "features": ("listing_id", "seller_id", "as_of", *NAMES),
    "scores": SCORES,
    "verdicts": ("verdict_id", "listing_id"),
    "cases": ("listing_id", "seller_id", "state", "as_of", "score"),
    "rejects": ("file", "line", "column", "reason"),
}


def scored(context, run_id: str, scores: dict[str, float], spec: str = SPEC_FINGERPRINT) -> None:
    """Keep scores and feature vectors of a run, ranked by score."""
    key = joined_keys(["default"] * len(scores), scores)
    rows = pd.DataFrame(
        {
            "listing_key": key, "as_of": day(9), "model_id": f"model of {run_id}", "observed_at": day(9),
            "score": list(scores.values()), "band": "low", "reasons": "[]", "spec": spec,
            "first_seller_key": pd.array([None] * len(key), dtype="Int64"),
            "first_listing_key": pd.array([None] * len(key), dtype="Int64"),
            "matched_images": 0, "images": 1, "run_id": run_id,
        }
    )  # fmt: skip
    rows["rank"] = rows["score"].rank(ascending=False).astype("int64")
    vectors = pd.DataFrame(np.arange(len(key) * len(NAMES), dtype=float).reshape(len(key), -1), columns=NAMES)
    with context.catalog.write() as connection:
        save_scores(connection, rows)
        save_features(connection, rows, vectors, spec)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    files = [as_file(photo(number)) for number in range(2)]
    context = fill(home, *(posted(f"l{n}", f"s{n}", n, files[n % 2]) for n in range(4)))
    scored(context, "run 1", {"l0": 0.2, "l1": 0.9, "l2": 0.5})
    scored(context, "run 2", {"l3": 0.7}, spec="an older list of features")
    return home


def test_every_table_of_the_contract_is_known():
    assert set(TABLES) == set(FIRST_COLUMNS)


@pytest.mark.parametrize("table", TABLES)
def test_each_table_is_written_with_its_columns(home, tmp_path, table, capsys):
    out = tmp_path / f"{table}.csv"
    assert ask(home, "export", table, "--out", out, "--json") == 0
    found = pd.read_csv(out)
    assert tuple(found.columns)[: len(FIRST_COLUMNS[table])] == FIRST_COLUMNS[table]
    assert json.loads(capsys.readouterr().out) == {"table": table, "rows": len(found), "written_to": str(out)}


def test_an_unknown_table_is_the_callers_mistake_and_the_known_ones_are_named(home, tmp_path, capsys):
    assert ask(home, "export", "users", "--out", tmp_path / "users.csv") == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "'users'" in error
    assert ", ".join(TABLES) in error
    assert list(tmp_path.iterdir()) == []


def test_a_name_without_a_format_is_the_callers_mistake(home, tmp_path, capsys):
    assert ask(home, "export", "scores", "--out", tmp_path / "scores.xlsx") == 2
    assert ".parquet" in capsys.readouterr().err


def test_features_are_those_of_the_present_list_under_their_names(home, tmp_path):
    out = tmp_path / "features.parquet"
    assert ask(home, "export", "features", "--out", out) == 0
    found = pd.read_parquet(out).set_index("listing_id")
    assert sorted(found.index) == ["l0", "l1", "l2"]
    assert found.loc["l1", NAMES].tolist() == list(range(len(NAMES), 2 * len(NAMES)))


def test_the_scores_of_one_run_are_written_the_highest_first(home, tmp_path):
    out = tmp_path / "scores.csv"
    assert write_scores_of(load_settings(home), "run 1", out) == 3
    found = pd.read_csv(out)
    assert tuple(found.columns)[: len(SCORES)] == SCORES
    assert found[["listing_id", "rank"]].to_numpy().tolist() == [["l1", 1], ["l2", 2], ["l0", 3]]


def test_a_run_that_scored_nothing_writes_the_columns(home, tmp_path):
    out = tmp_path / "scores.csv"
    assert write_scores_of(load_settings(home), "no such run", out) == 0
    assert tuple(pd.read_csv(out).columns)[: len(SCORES)] == SCORES


def test_a_file_must_be_named(home):
    assert ask(home, "export", "scores") == 2
