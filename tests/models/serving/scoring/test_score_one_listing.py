"""One listing scored now, without keeping it: the score that ingest and scoring would give, and nothing left behind."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pandas as pd
import pytest
from PIL import ImageOps

from data.catalog.market.scoring_moments import all_moments
from data.errors import SourceError
from data.settings import load_settings
from data.synthetic.picture_server import serve_pictures
from models.serving.context import open_context
from models.serving.load_tables import read_listing_texts
from models.serving.pictures.match_pictures import compare_new_pictures, match
from models.serving.pictures.query_pictures import Upload
from models.serving.scoring.score_listings import score_moments
from models.serving.scoring.score_one_listing import Posting, score_listing
from tests.data.catalog.rows import day, moment
from tests.flows.filled import as_file, fill, fill_and_compare, photo, smaller

pytestmark = pytest.mark.slow
NOW = moment(600)
SCORED = (
    "score", "band", "model_id", "reasons", "first_seller_key", "first_listing_key", "matched_images", "images", "spec",
)  # fmt: skip
TEXT = "A road bicycle with a steel frame, new tyres and two bottles, hardly ever used"


def said(listing_id, seller_id, at_day, *files, **more):
    told = {"title": f"Bicycle {listing_id}", "category": "bikes", "price": 300.0 + at_day, "currency": "EUR"}
    return {"listing_id": listing_id, "seller_id": seller_id, "created_at": day(at_day), "files": files} | told | more


def market():
    """Ann shows her photos; bob and carl take some of them; dora has nothing to do with it."""
    yield from (
        said(f"own-{n}", "ann", n, as_file(photo(n)), as_file(photo(50 + n)), description=TEXT) for n in range(4)
    )
    yield said("taken-0", "bob", 20, as_file(ImageOps.mirror(photo(0)), quality=80))
    yield said("taken-1", "bob", 21, as_file(smaller(photo(1))), as_file(photo(70)))
    yield said("taken-2", "carl", 22, as_file(photo(0)), description=TEXT)
    yield said("lone", "dora", 23, as_file(photo(90)), price=None)


NEW = {
    "a copy by somebody new": said("x", "zoe", 40, as_file(smaller(photo(2))), as_file(photo(99)), description=TEXT),
    "a copy by who has copied before": said("x", "bob", 40, as_file(photo(3)), as_file(ImageOps.mirror(photo(1)))),
    "an own photo again": said("x", "ann", 40, as_file(photo(0)), as_file(photo(51), quality=70), description=TEXT),
    "a photo nobody has shown": said("x", "dora", 40, as_file(photo(95))),
    "the same photo twice": said("x", "carl", 40, as_file(photo(1)), as_file(photo(1))),
    "no photo": said("x", "bob", 40),
    "a broken photo": said("x", "zoe", 40, as_file(photo(2))[:2000], as_file(photo(2))),
    "a photo that was found late": said("x", "zoe", 2.5, as_file(photo(3)), observed_at=day(2.6)),
}


def posting(row, **more):
    """The listing as a caller tells of it: known since it was posted."""
    texts = {name: str(value) for name, value in row.items() if name not in {"files", "created_at", "observed_at"}}
    times = {"created_at": row["created_at"], "observed_at": row.get("observed_at", row["created_at"])}
    files = tuple(Upload(f"{n}.jpg", content) for n, content in enumerate(row["files"]))
    return Posting(texts | {name: at.isoformat() for name, at in times.items()} | more, files)


@pytest.fixture(scope="module")
def market_home(tmp_path_factory):
    """The home of the market; nobody may write to it."""
    home = tmp_path_factory.mktemp("market") / "home"
    _finished(fill_and_compare(home, *market())).catalog.close()
    return home


@pytest.fixture
def context(market_home, tmp_path):
    """A home of the market for one test."""
    return open_context(load_settings(shutil.copytree(market_home, tmp_path / "home")))


def _finished(context):
    read_listing_texts(context)
    compare_new_pictures(context, datetime.now(UTC))
    with context.catalog.read() as connection:
        keys = all_moments(connection, None, None)["listing_key"].drop_duplicates().tolist()
    match(context, keys)
    return context


def everything(context):
    """All rows of all tables."""
    with context.catalog.read() as connection:
        names = connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).scalars()
        return {name: connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608


def stored(context, key):
    """The newest score that is kept of a listing, with its vector."""
    with context.catalog.read() as connection:
        query = (
            "SELECT s.*, f.vector FROM scores s JOIN features f USING (listing_key, as_of, spec) "
            "WHERE s.listing_key = ? ORDER BY as_of DESC LIMIT 1"
        )
        return dict(connection.exec_driver_sql(query, (key,)).mappings().one())


@pytest.mark.parametrize("row", NEW.values(), ids=NEW.keys())
def test_a_listing_that_is_not_in_the_catalog_gets_the_score_that_it_will_have_there(context, row):
    before = everything(context)
    judged = score_listing(context, posting(row), NOW)
    assert everything(context) == before
    _finished(fill(context.settings.home, dict(row)))
    assert_as_stored(context, judged)
    # And so it is once it is there.
    if not any(name == "observed_at" for name in row):
        urls = json.dumps([f"https://p.example/x/{number}.jpg" for number in range(len(row["files"]))])
        known = Posting(posting(row).columns | {"image_urls": urls})
        assert_as_stored(context, score_listing(context, known, NOW))


def assert_as_stored(context, judged):
    key = judged.score["listing_key"]
    with context.catalog.read() as connection:
        moments = all_moments(connection, None, NOW)
    newest = moments[moments["listing_key"] == key].tail(1)
    score_moments(context, list(newest.itertuples(index=False, name=None)), "run")
    kept = stored(context, key)
    assert judged.features.to_numpy("<f8").tobytes() == kept["vector"]
    for name in (
        "score",
        "band",
        "model_id",
        "reasons",
        "first_seller_key",
        "first_listing_key",
        "matched_images",
        "images",
        "spec",
    ):
        assert judged.score[name] == kept[name], name


def test_a_copy_is_told_with_who_had_shown_it_and_what_could_not_be_read(context):
    judged = score_listing(context, posting(NEW["a broken photo"]), NOW)
    assert judged.score["first_seller_id"] == "ann"
    assert judged.score["first_listing_id"] == "own-2"
    assert judged.evidence[["other_listing_id", "other_seller_id"]].to_numpy().tolist() == [["own-2", "ann"]]
    assert judged.reasons[0]["text"]
    ((name, why),) = judged.unread
    assert name == "0.jpg"
    assert " " in why


def test_without_a_time_it_is_known_since_now(context):
    columns = posting(NEW["no photo"]).columns
    del columns["observed_at"]
    assert score_listing(context, Posting(columns), NOW).score["as_of"] == pd.Timestamp(NOW)


def test_pictures_come_from_the_web_and_a_path_is_never_opened(market_home, tmp_path, monkeypatch):
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "copy.jpg").write_bytes(as_file(smaller(photo(2))))
    with serve_pictures(tmp_path / "served") as base:
        monkeypatch.setenv("SEENBEFORE_FETCH__ALLOW_HOSTS", json.dumps([base.removeprefix("http://")]))
        context = open_context(load_settings(shutil.copytree(market_home, tmp_path / "home")))
        path = str(tmp_path / "served" / "copy.jpg")
        urls = [f"{base}/copy.jpg", path, "http://169.254.169.254/a.jpg"]
        columns = posting(NEW["no photo"]).columns | {"image_urls": json.dumps(urls)}
        judged = score_listing(context, Posting(columns), NOW)
    assert judged.score["first_listing_id"] == "own-2"
    assert judged.score["images"] == 1
    assert [name for name, _why in judged.unread] == urls[1:]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"listing_id": ""}, "listing_id is empty"),
        ({"created_at": "yesterday"}, "created_at not an ISO 8601"),
        ({"created_at": "2026-01-02T10:00:00"}, "names no time zone"),
        ({"price": "-3"}, "price less than 0"),
        ({"observed_at": "2090-01-01T00:00:00Z"}, "observed_at lies ahead of now"),
        ({"listing_id": "own-0"}, "belongs to another seller"),
    ],
)
def test_what_ingest_would_not_keep_is_refused_with_its_fault(context, changed, told):
    before = everything(context)
    with pytest.raises(SourceError, match=told):
        score_listing(context, posting(NEW["no photo"], **changed), NOW)
    assert everything(context) == before


def test_an_empty_catalog_scores_too(tmp_path):
    context = open_context(load_settings(tmp_path / "home"))
    judged = score_listing(context, posting(NEW["a photo nobody has shown"]), NOW)
    assert judged.score["images"] == 1
    assert judged.score["first_seller_id"] is None
    assert everything(context)["listings"] == []
