"""The synthetic market: the same from the same seed, mixed enough to be hard, and true to its tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from PIL import Image, UnidentifiedImageError

from data.sources.files import open_source
from data.synthetic.entries import Fate
from data.synthetic.market import Market, MarketFiles, make_market, write_market
from data.tables.validation import LABELS, LISTINGS, SELLERS, Mapping, Table, validate

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2026, 1, 1, tzinfo=UTC)
FRAMES = ("listings", "sellers", "labels", "truth", "pictures")
BASE_URL = "http://127.0.0.1:1"
SPLIT_AT = START + timedelta(days=120)


def a_market(listings: int, seed: int = 3, photos: Path | None = None) -> Market:
    return make_market(listings=listings, seed=seed, start=START, photos=photos)


@pytest.fixture(scope="module")
def market() -> Market:
    return a_market(3_000)


@pytest.fixture(scope="module")
def everything(market: Market) -> pd.DataFrame:
    sellers = market.sellers.drop(columns=["marketplace", "observed_at"])
    joined = market.listings.merge(market.truth, on="listing_id").merge(sellers, on="seller_id")
    return joined.assign(
        age_days=(joined["created_at"] - joined["joined_at"]).dt.total_seconds() / 86_400,
        pictures=joined["image_urls"].map(json.loads).map(len),
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Market, MarketFiles, list[int]]:
    told: list[int] = []
    small = a_market(110)
    folder = tmp_path_factory.mktemp("market")
    files = write_market(small, folder, base_url=BASE_URL, split_at=SPLIT_AT, on_picture=told.append)
    return small, files, told


@pytest.mark.parametrize("frame", FRAMES)
def test_the_same_seed_makes_the_same_market(frame: str) -> None:
    pd.testing.assert_frame_equal(getattr(a_market(200), frame), getattr(a_market(200), frame))


def test_another_seed_makes_another_market() -> None:
    assert set(a_market(50).listings["listing_id"]).isdisjoint(a_market(50, seed=4).listings["listing_id"])


@pytest.mark.parametrize("frame", FRAMES)
def test_a_larger_market_holds_the_smaller_one_unchanged(frame: str) -> None:
    small, large = getattr(a_market(150), frame), getattr(a_market(400), frame)
    key = {"sellers": "seller_id", "pictures": "path"}.get(frame, "listing_id")
    found = large.set_index(key).loc[small[key]].reset_index()[small.columns]
    pd.testing.assert_frame_equal(found, small)


def test_a_market_has_the_size_and_the_days_it_was_asked_for(market: Market) -> None:
    assert len(market.listings) == market.listings["listing_id"].nunique() == 3_000
    assert market.listings["created_at"].min() >= pd.Timestamp(START)
    latest = pd.Timestamp(START + timedelta(days=180))
    assert market.listings["observed_at"].max() <= latest
    assert market.labels["labelled_at"].max() <= latest


def test_nothing_is_observed_before_it_happened(everything: pd.DataFrame) -> None:
    assert (everything["observed_at"] >= everything["created_at"]).all()
    assert (everything["joined_at"] < everything["created_at"]).all()


def test_every_seller_is_known_by_the_first_listing(market: Market) -> None:
    first = market.listings.groupby("seller_id")["observed_at"].min()
    known = market.sellers.set_index("seller_id")["observed_at"]
    assert set(first.index) == set(known.index)
    assert (known[first.index] <= first).all()


def test_labels_come_after_their_listing_and_agree_with_the_truth(market: Market, everything: pd.DataFrame) -> None:
    labels = market.labels.merge(everything, on="listing_id", validate="one_to_one")
    assert (labels["labelled_at"] > labels["observed_at"]).all()
    assert ((labels["label"] == "fraud") == labels["called_fraud"]).all()


def test_a_few_decisions_are_wrong_and_some_take_months(market: Market, everything: pd.DataFrame) -> None:
    labels = market.labels.merge(everything, on="listing_id", validate="one_to_one")
    wrong = labels["called_fraud"] != labels["fraud"]
    assert 0.002 < wrong[~labels["fraud"]].mean() < 0.015
    assert 0.01 < wrong[labels["fraud"]].mean() < 0.1
    waited = labels["labelled_at"] - labels["observed_at"]
    assert waited.median() < timedelta(days=10)
    assert (waited > timedelta(days=45)).mean() > 0.01


def test_most_labels_are_missing_and_frauds_are_labelled_more_often(market: Market, everything: pd.DataFrame) -> None:
    labelled = everything["listing_id"].isin(market.labels["listing_id"])
    assert labelled.mean() < 0.5
    shares = labelled.groupby(everything["fraud"]).mean()
    assert shares[True] > shares[False] + 0.15


def test_about_a_tenth_is_fraud_and_all_of_the_cast_is_there(everything: pd.DataFrame) -> None:
    assert 0.07 < everything["fraud"].mean() < 0.14
    assert everything["scheme"].nunique() == 12
    stolen = everything[everything["stolen_from"] != "[]"]
    assert stolen["edit"].nunique() == 11


@pytest.mark.parametrize("measure", ["age_days", "feedback_count", "pictures", "price"])
def test_honest_people_and_thieves_overlap(everything: pd.DataFrame, measure: str) -> None:
    people = everything[everything["group_id"].isna()]
    fraud, honest = people.loc[people["fraud"], measure], people.loc[~people["fraud"], measure]
    # The chance that a fraud has more of it than an honest listing has: 0.5 would tell nothing.
    chance = pd.concat([fraud, honest]).rank()[: len(fraud)].sum() - len(fraud) * (len(fraud) + 1) / 2
    assert 0.33 < chance / (len(fraud) * len(honest)) < 0.67


def test_victims_posted_before_their_thieves(everything: pd.DataFrame) -> None:
    thefts = everything.assign(victim=everything["stolen_from"].map(json.loads)).explode("victim")
    thefts = thefts.dropna(subset="victim")
    posted = everything.set_index("listing_id")
    victims = posted.loc[thefts["victim"]].set_index(thefts.index)
    assert (victims["created_at"] < thefts["created_at"]).all()
    assert not victims["fraud"].any()
    assert (victims["seller_id"] != thefts["seller_id"]).all()
    late = victims["observed_at"] > thefts["observed_at"]
    assert late.equals(thefts["victim_observed_late"].astype(bool))
    assert 0.01 < late.mean() < 0.25


def test_taken_over_accounts_were_honest_first(everything: pd.DataFrame) -> None:
    taken = everything[everything["scheme"] == "takeover"].sort_values("created_at")
    both = taken.groupby("seller_id")["fraud"].agg(["first", "last", "nunique"])
    turned = both[both["nunique"] == 2]
    assert len(turned) >= 3
    assert not turned["first"].any()
    assert turned["last"].all()


def test_few_accounts_go_on_after_one_of_their_listings_was_called_a_fraud(
    market: Market, everything: pd.DataFrame
) -> None:
    called = market.labels[market.labels["label"] == "fraud"].merge(everything, on="listing_id")
    first = called.groupby("seller_id")["labelled_at"].min()
    known_at = everything["seller_id"].map(first)
    assert 0 < (everything["created_at"] > known_at).mean() < 0.02


def test_honest_people_show_lent_and_borrowed_pictures_of_others(market: Market, everything: pd.DataFrame) -> None:
    shown = everything.assign(owner=everything["lent_by"].map(json.loads)).explode("owner").dropna(subset="owner")
    assert set(shown["scheme"]) >= {"agent", "borrower"}
    assert not shown["fraud"].any()
    owners = everything.set_index("listing_id").loc[shown["owner"]].set_index(shown.index)
    assert (owners["created_at"] < shown["created_at"]).all()
    assert (owners["seller_id"] != shown["seller_id"]).all()
    copied = market.pictures.loc[market.pictures["source"] != "", "listing_id"]
    assert shown["listing_id"].isin(copied).all()
    agents = shown[shown["scheme"] == "agent"].assign(owner_seller=owners["seller_id"])
    per_agent = agents.groupby("seller_id").agg(listings=("owner", "size"), owners=("owner_seller", "nunique"))
    assert (per_agent["owners"] < per_agent["listings"]).sum() >= 3


def test_a_collage_holds_two_pictures_of_one_listing(market: Market) -> None:
    plan = market.pictures
    collages = plan[(plan["edit"] == "collage") & (plan["beside"] != "")]
    assert len(collages) > 0
    listing_of = plan.set_index("path")["listing_id"]
    assert (listing_of[collages["source"]].to_numpy() == listing_of[collages["beside"]].to_numpy()).all()
    assert (collages["source"] != collages["beside"]).all()
    depth_of = plan.set_index("path")["depth"]
    assert (depth_of[collages["beside"]].to_numpy() < collages["depth"].to_numpy()).all()


def test_a_business_lays_one_banner_over_all_its_own_pictures(market: Market, everything: pd.DataFrame) -> None:
    businesses = everything.dropna(subset="group_id")
    assert businesses.groupby("group_id")["seller_id"].nunique().max() >= 2
    drawn = market.pictures[market.pictures["kind"] == "photo"]
    banners = drawn.merge(businesses, on="listing_id").drop_duplicates(["group_id", "banner"])
    assert banners["group_id"].is_unique
    assert banners["banner"].is_unique


def test_rings_share_stolen_pictures_over_accounts(everything: pd.DataFrame) -> None:
    ring = everything[(everything["scheme"] == "ring") & (everything["stolen_from"] != "[]")]
    assert ring.groupby("stolen_from")["seller_id"].nunique().max() >= 2


def test_some_honest_people_show_the_pictures_of_a_second_account(market: Market, everything: pd.DataFrame) -> None:
    pictures = market.pictures.merge(everything[["listing_id", "seller_id", "fraud", "group_id"]], on="listing_id")
    owner = pictures.set_index("path")["seller_id"]
    copies = pictures[(pictures["source"] != "") & ~pictures["fraud"] & pictures["group_id"].isna()]
    assert (owner[copies["source"]].to_numpy() != copies["seller_id"]).any()


@pytest.mark.parametrize("wrong", [{"start": datetime(2026, 1, 1)}, {"listings": 0}, {"days": 0}])
def test_an_impossible_market_is_refused(wrong: dict[str, object]) -> None:
    arguments: dict[str, object] = {"listings": 10, "seed": 0, "start": START} | wrong
    with pytest.raises(ValueError, match="aware start"):
        make_market(**arguments)  # type: ignore[arg-type]


def test_the_tables_hold_the_market_split_by_observation(
    written: tuple[Market, MarketFiles, list[int]],
) -> None:
    market, files, _ = written
    first, later = pd.read_csv(files.listings_first), pd.read_csv(files.listings_later)
    assert [*first["listing_id"], *later["listing_id"]] == list(market.listings["listing_id"])
    assert pd.to_datetime(first["observed_at"]).max() <= pd.Timestamp(SPLIT_AT)
    assert pd.to_datetime(later["observed_at"]).min() > pd.Timestamp(SPLIT_AT)
    assert len(pd.read_csv(files.sellers)) == len(market.sellers)
    assert len(pd.read_csv(files.labels)) == len(market.labels)
    assert len(pd.read_csv(files.truth)) == len(market.listings)


@pytest.mark.parametrize(
    ("name", "table"),
    [("listings_first", LISTINGS), ("listings_later", LISTINGS), ("sellers", SELLERS), ("labels", LABELS)],
)
def test_no_row_of_the_tables_is_rejected(
    written: tuple[Market, MarketFiles, list[int]], name: str, table: Table
) -> None:
    for batch in open_source(str(getattr(written[1], name))).batches(1_000):
        valid = validate(batch, table, mapping=Mapping(), timezone=None)
        assert len(valid.rows) == len(batch.frame) > 0
        assert valid.rejected_rows == 0


def test_every_address_has_its_file_but_the_dead_ones(
    written: tuple[Market, MarketFiles, list[int]],
) -> None:
    market, files, told = written
    tables = pd.concat([pd.read_csv(files.listings_first), pd.read_csv(files.listings_later)])
    named = tables["image_urls"].map(json.loads).explode()
    assert named.str.startswith(f"{BASE_URL}/images/").all()
    there = {f"{BASE_URL}/images/{file.name}" for file in files.images.iterdir()}
    dead = market.pictures.loc[market.pictures["fate"] == Fate.DEAD, "path"]
    assert set(named) == there | {f"{BASE_URL}/{path}" for path in dead}
    assert files.pictures == len(there)
    assert len(dead) > 0
    assert told == list(range(1, files.pictures + 1))


def test_the_broken_files_and_no_others_cannot_be_opened(
    written: tuple[Market, MarketFiles, list[int]],
) -> None:
    market, files, _ = written
    broken = market.pictures["fate"].isin([Fate.TRUNCATED, Fate.PAGE])
    expected = {path.removeprefix("images/") for path in market.pictures.loc[broken, "path"]}
    assert len(expected) == 2
    assert {file.name for file in files.images.iterdir() if not opens(file)} == expected


def test_an_unedited_copy_has_the_bytes_of_its_source(
    written: tuple[Market, MarketFiles, list[int]],
) -> None:
    market, files, _ = written
    plan = market.pictures
    copies = plan[(plan["kind"] == "copy") & (plan["fate"] == Fate.SERVED)]
    root = files.images.parent
    same = {
        edit: {(root / path).read_bytes() == (root / source).read_bytes() for path, source in rows}
        for edit, rows in copies.groupby("edit")[["path", "source"]].apply(lambda f: f.to_numpy().tolist()).items()
    }
    assert same.pop("none") == {True}
    assert set().union(*same.values()) == {False}


def test_without_an_address_the_tables_name_paths_below_the_folder(tmp_path: Path) -> None:
    market = a_market(12)
    files = write_market(market, tmp_path)
    named = pd.read_csv(files.listings_first)["image_urls"]
    assert list(named) == list(market.listings["image_urls"])
    made = set(contents(tmp_path))
    assert {path for paths in named.map(json.loads) for path in paths} & made


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    market = a_market(12)
    once = write_market(market, tmp_path / "once", base_url=BASE_URL)
    twice = write_market(market, tmp_path / "twice", base_url=BASE_URL)
    assert once.pictures == twice.pictures > 0
    assert contents(tmp_path / "once") == contents(tmp_path / "twice")


def test_own_photographs_are_posted_until_they_run_out(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    Image.new("RGB", (900, 700), (200, 10, 10)).save(folder / "red.png")
    (folder / "broken.jpg").write_bytes(b"not a picture")
    market = a_market(6, photos=folder)
    assert market.pictures["photo"].ne("").sum() == 2
    files = write_market(market, tmp_path / "out", base_url=BASE_URL)
    used = market.pictures.set_index("photo").loc[str(folder / "red.png"), "path"]
    with Image.open(tmp_path / "out" / used) as picture:
        assert picture.size[0] == 640
        assert picture.getpixel((320, 200))[0] > 180
    assert files.pictures == (market.pictures["fate"] != Fate.DEAD).sum()


def opens(file: Path) -> bool:
    try:
        with Image.open(file) as picture:
            picture.load()
    except (UnidentifiedImageError, OSError):
        return False
    return True


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
