"""A small market goes through the whole job, day after day, on both databases; its truth is known."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd
import pytest

from data.synthetic.market import Market, make_market, write_market
from data.synthetic.picture_server import serve_pictures
from features.sightings.evidence import SAME_PHOTO
from models.serving.learning.train_model import gather
from tests.full_run import often
from tests.journeys.conftest import Home, opened_home
from tests.postgres import fresh_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
START = datetime(2026, 1, 1, tzinfo=UTC)
SPLIT_AT = START + timedelta(days=40)
RENEWED_AT = START + timedelta(days=151)
LISTINGS, DAYS, SEED = often(in_full=150, otherwise=90), 60, 8
SCORE_COLUMNS = [
    "listing_id", "seller_id", "observed_at", "as_of", "score", "rank", "band", "model_id", "reasons",
    "first_seller_id", "first_listing_id", "matched_images", "images",
]  # fmt: skip


@dataclass(slots=True)
class Journey:
    """What was there before, between and after the runs."""

    home: Home
    market: Market
    summaries: dict[str, dict[str, Any]] = field(default_factory=dict)
    knowledge: dict[str, dict[str, list[tuple[Any, ...]]]] = field(default_factory=dict)
    files: dict[str, dict[str, int]] = field(default_factory=dict)
    scores: dict[str, pd.DataFrame] = field(default_factory=dict)
    decided: dict[str, int] = field(default_factory=dict)
    renewed_id: str = ""

    def run(self, name: str, listings: Path, **tables: str) -> None:
        """Run, and note what is there afterwards."""
        from flows.run import run

        self.summaries[name] = run(str(listings), home=str(self.home.path), **tables)
        self.knowledge[name] = self.home.knowledge()
        self.files[name] = self.home.stored_files()
        self.scores[name] = self.home.table("scores")
        self.decided[name] = int(_gathered(self.home)["y"].notna().sum())

    @property
    def thefts(self) -> pd.DataFrame:
        """Listings with stolen photos: ``listing_id, edit, victim_id, victim_seller_id``."""
        truth = self.market.truth.assign(victim_id=self.market.truth["stolen_from"].map(json.loads))
        stolen = truth.explode("victim_id").dropna(subset="victim_id")
        sellers = self.market.listings.set_index("listing_id")["seller_id"]
        return stolen.assign(victim_seller_id=stolen["victim_id"].map(sellers))


def _gathered(home: Home) -> pd.DataFrame:
    return gather(home.context, since=None, until=datetime.now(UTC), rows=1000).examples


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def journey(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, prefect_server: None
) -> Iterator[Journey]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "sqlite":
        yield from _journey(folder, f"sqlite:///{folder / 'catalog.sqlite'}")
        return
    with fresh_schema(request.getfixturevalue("postgres_server")) as url:
        yield from _journey(folder, url)


def _journey(folder: Path, catalog_url: str) -> Iterator[Journey]:
    market = make_market(listings=LISTINGS, seed=SEED, start=START, days=DAYS)
    with serve_pictures(folder) as base_url:
        files = write_market(market, folder, base_url=base_url, split_at=SPLIT_AT)
    address = urlsplit(base_url)
    settings = {
        "SEENBEFORE_CATALOG_URL": catalog_url,
        "SEENBEFORE_FETCH__ALLOW_HOSTS": json.dumps([address.netloc]),
        "SEENBEFORE_CHUNK_IMAGES": "50",
    }
    with opened_home(folder / "home", **settings) as home:
        made = Journey(home, market)
        known = {"sellers": str(files.sellers), "labels": str(files.labels)}
        with serve_pictures(folder, port=address.port or 0):
            made.run("first", files.listings_first, **known)
        made.run("again, with nobody serving", files.listings_first, **known)
        with serve_pictures(folder, port=address.port or 0):
            made.run("later", files.listings_later)
            made.run("renewed", _renewed(made, files.listings_first))
        yield made


def _renewed(journey: Journey, table: Path) -> Path:
    """Let an honest seller add a photo of another listing of theirs, long after everything else."""
    rows = pd.read_csv(table, dtype="str").dropna(subset="image_urls")
    own = rows[rows["seller_id"].duplicated(keep=False)].sort_values("seller_id")
    one, other = own.iloc[0], own.iloc[1]
    urls = [*json.loads(one["image_urls"]), *json.loads(other["image_urls"])]
    journey.renewed_id = str(one["listing_id"])
    later = one.to_frame().T.assign(image_urls=json.dumps(urls), observed_at=RENEWED_AT.isoformat())
    path = table.with_name("renewed.csv")
    later.to_csv(path, index=False)
    return path


def test_everything_that_was_given_is_counted_and_scored(journey: Journey) -> None:
    early = int((journey.market.listings["observed_at"] <= SPLIT_AT).sum())
    first, later = journey.summaries["first"], journey.summaries["later"]
    assert (first["listings_read"], first["listings_new"], first["scored"]) == (early, early, early)
    assert (later["listings_new"], later["scored"]) == (LISTINGS - early, LISTINGS - early)
    assert (first["sellers_new"], first["labels_new"]) == (len(journey.market.sellers), len(journey.market.labels))
    assert first["rejected"] == 0
    assert first["model_id"].startswith("rule-")
    assert first["hashed"] == len(journey.files["first"]) - first.get("unreadable", 0)


def test_the_same_again_asks_nobody_and_writes_nothing(journey: Journey) -> None:
    before, after = "first", "again, with nobody serving"
    assert journey.knowledge[after] == journey.knowledge[before]
    assert journey.files[after] == journey.files[before]
    summary = journey.summaries[after]
    assert not any(n for name, n in summary.items() if name.startswith(("pictures_", "hashed", "matches")))
    done = ("listings_new", "sellers_new", "labels_new", "compared", "scored")
    assert {name: summary[name] for name in done} == dict.fromkeys(done, 0)


def test_stolen_photos_lead_to_the_seller_who_showed_them_first(journey: Journey) -> None:
    found = journey.thefts.merge(journey.home.table("matches"), on="listing_id", suffixes=("", "_found"))
    right = found[(found["other_seller_id"] == found["victim_seller_id"]) & (found["same_photo"] > 0.9)]
    plain = journey.thefts.loc[journey.thefts["edit"].isin(["none", "recompressed", "resized"]), "listing_id"]
    assert len(plain) > 5
    assert set(plain) <= set(right["listing_id"])


def test_a_score_names_who_showed_the_copied_photos_first(journey: Journey) -> None:
    scores = journey.scores["later"]
    copied = scores[scores["matched_images"] > 0]
    assert copied["first_seller_id"].notna().all()
    assert copied["first_listing_id"].notna().all()
    of_thefts = copied.merge(journey.thefts, on="listing_id")
    assert (of_thefts["first_seller_id"] == of_thefts["victim_seller_id"]).all()
    assert scores.loc[scores["matched_images"] == 0, "first_seller_id"].isna().all()


def test_nobody_is_accused_of_copying_from_who_copied_them(journey: Journey) -> None:
    matches, thefts = journey.home.table("matches"), journey.thefts
    copied = matches[matches["same_photo"] >= SAME_PHOTO]
    named = set(zip(copied["seller_id"], copied["other_listing_id"], strict=True))
    assert not named & set(zip(thefts["victim_seller_id"], thefts["listing_id"], strict=True))
    assert (matches["other_observed_at"] <= matches["observed_at"]).all()
    assert (matches["other_seller_id"] != matches["seller_id"]).all()


def test_what_could_not_be_had_says_why(journey: Journey) -> None:
    images = journey.home.table("images")
    paths = images["image_url"].map(lambda url: urlsplit(url).path.lstrip("/"))
    fates = paths.map(journey.market.pictures.set_index("path")["fate"].astype("str"))
    said = (images["status"] + " " + images["reason"].astype("str").fillna("-")).groupby(fates).unique()
    assert said.map(list).to_dict() == {
        "served": ["hashed -"],
        "dead": ["gone not_found"],
        "truncated": ["unreadable truncated"],
        "page": ["refused not_an_image"],
    }


def test_scores_come_in_the_columns_of_the_contract(journey: Journey) -> None:
    scores = journey.scores["later"]
    assert list(scores.columns)[: len(SCORE_COLUMNS)] == SCORE_COLUMNS
    assert scores["score"].between(0, 1).all()
    assert set(scores["band"]) <= {"high", "medium", "low"}
    reasons = scores.loc[scores["matched_images"] > 0, "reasons"].map(json.loads)
    assert reasons.map(len).gt(0).all()
    assert {frozenset(reason) for told in reasons for reason in told} == {
        frozenset({"code", "text", "value", "evidence_ids"})
    }


def test_a_label_of_an_unknown_listing_waits_and_counts_once_the_listing_comes(journey: Journey) -> None:
    labelled = journey.market.labels.merge(journey.market.listings, on="listing_id")
    known_early = int((labelled["observed_at"] <= SPLIT_AT).sum())
    assert 0 < known_early < len(labelled)
    assert journey.decided["first"] == known_early
    assert journey.decided["later"] == len(labelled)
    assert "labels_read" not in journey.summaries["later"], "the labels were not given again"


def test_new_photos_make_a_new_moment_with_a_new_score_and_leave_the_old_one(journey: Journey) -> None:
    before, after = journey.scores["later"], journey.scores["renewed"]
    of_it = after[after["listing_id"] == journey.renewed_id].sort_values("as_of")
    assert list(of_it["as_of"])[1:] == [RENEWED_AT]
    assert of_it["images"].is_monotonic_increasing
    assert of_it["images"].nunique() == 2
    assert journey.summaries["renewed"]["scored"] == 1
    kept = after[~((after["listing_id"] == journey.renewed_id) & (after["as_of"] >= RENEWED_AT))]
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), before.reset_index(drop=True))
