"""Equal knowledge has an equal digest, however it came about; other knowledge has another."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from data.catalog.database.engine import open_catalog
from data.catalog.database.schema import alike, images, metadata, sketches
from data.catalog.market.listings import save_labels, save_listings, save_sellers
from data.catalog.market.loads import Load
from data.catalog.market.matches import save_alike
from data.catalog.market.pictures import due_fetches, save_fetches, save_fingerprints
from features.point_in_time.ring_features import TIE_LIMITS
from tests.data.catalog.catalog_digest import catalog_digest
from tests.data.catalog.market.test_matches import match_all
from tests.data.catalog.rows import (
    alike_pairs,
    day,
    fetch_all,
    hashed,
    labels,
    listings,
    moment,
    outcomes,
    sellers,
    sketched,
)

PICTURES = {f"u{number}": f"p{number}" for number in range(3)}
TABLE = [{"listing_id": f"l{number}", "seller_id": f"s{number}", "image_urls": [f"u{number}"]} for number in range(3)]


def load(catalog, *, at: float = 100, first_bulk: bool = True, rows=TABLE, load_id: str = "x") -> None:
    """Load everything there is to know, rows in the given order."""
    load = Load(load_id, moment(at), first_bulk=first_bulk)
    with catalog.write() as connection:
        for row in rows:
            save_listings(connection, load, listings(row))
        save_sellers(connection, load, sellers({"seller_id": "s1", "joined_at": day(-9), "rating": 4.0}))
        save_labels(connection, labels({"listing_id": "l2"}))
        fetch_all(connection, load, PICTURES)
        save_fingerprints(connection, hashed(*PICTURES.values()), TIE_LIMITS, sketched(*PICTURES.values()))
        save_alike(connection, list(PICTURES.values()), alike_pairs(("p0", "p1")))
        match_all(connection)


def digest(catalog, **how) -> dict[str, str]:
    with catalog.read() as connection:
        return catalog_digest(connection, **how)


@pytest.fixture
def undisturbed(tmp_path):
    other = open_catalog(f"sqlite:///{tmp_path / 'undisturbed.sqlite'}")
    yield other
    other.close()


def test_every_table_that_holds_knowledge_is_in_it(catalog):
    assert set(digest(catalog)) == set(metadata.tables) - {
        "loads",
        "runs",
        "claims",
        "news",
        "price_days",
        "daily_prices",
        "taken",
    }


def test_neither_order_nor_load_nor_database_changes_it(catalog, undisturbed):
    load(catalog, rows=TABLE[::-1], load_id="y")
    load(undisturbed)
    assert digest(catalog) == digest(undisturbed)


def test_an_interrupted_load_that_goes_on_ends_in_the_same(catalog, undisturbed):
    load(undisturbed)
    begun = Load("x", moment(100), first_bulk=True)
    with catalog.write() as connection:
        save_listings(connection, begun, listings(*TABLE[:2]))
    with catalog.write() as connection:
        due = due_fetches(connection, moment(100), 3)
        save_fetches(connection, begun, outcomes(due.iloc[:1], PICTURES))
    load(catalog)
    assert digest(catalog) == digest(undisturbed)


def test_times_read_off_the_clock_count_as_one_where_told(catalog, undisturbed):
    load(catalog, at=100, first_bulk=False)
    load(undisturbed, at=101, first_bulk=False)
    assert digest(catalog) != digest(undisturbed)
    assert digest(catalog, clock_since=moment(99)) == digest(undisturbed, clock_since=moment(99))


def test_a_single_bit_of_a_hash_changes_the_digest_of_its_table_only(catalog):
    load(catalog)
    before = digest(catalog)
    with catalog.write() as connection:
        phash = connection.execute(select(images.c.phash).where(images.c.image_id == "p0")).scalar_one()
        connection.execute(images.update().where(images.c.image_id == "p0").values(phash=phash ^ 1))
    after = digest(catalog)
    assert [name for name in before if before[name] != after[name]] == ["images"]


@pytest.mark.parametrize("other", [{"matched_points": 41}, {"common_area": 0.99}, {"lead": "[]"}])
def test_how_two_pictures_lie_in_each_other_belongs_to_what_is_known_of_them(catalog, other):
    load(catalog)
    before = digest(catalog)
    with catalog.write() as connection:
        connection.execute(alike.update().values(**other))
    after = digest(catalog)
    assert [name for name in before if before[name] != after[name]] == ["alike"]


def test_a_single_byte_of_a_sketch_changes_the_digest_of_its_table_only(catalog):
    load(catalog)
    before = digest(catalog)
    with catalog.write() as connection:
        thumbnail = connection.execute(select(sketches.c.thumbnail).where(sketches.c.image_id == "p0")).scalar_one()
        other = bytes([thumbnail[0] ^ 1]) + thumbnail[1:]
        connection.execute(sketches.update().where(sketches.c.image_id == "p0").values(thumbnail=other))
    after = digest(catalog)
    assert [name for name in before if before[name] != after[name]] == ["sketches"]
