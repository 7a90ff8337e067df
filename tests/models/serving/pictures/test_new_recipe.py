"""Another recipe: every picture is fingerprinted again, also by runs that are interrupted, and two never meet."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import alike, images, sketches
from data.catalog.market.matches import fingerprints
from data.catalog.market.pictures import descriptors_of, pending_pictures
from features.hashing.fingerprint import RECIPE
from models.serving.pictures import fetch_pictures, match_pictures, picture_index
from models.serving.pictures.fetch_pictures import fingerprint_pictures
from models.serving.pictures.match_pictures import compare_new_pictures
from models.serving.pictures.query_pictures import Queries
from models.serving.pictures.search_pictures import SearchOptions, find_similar
from tests.data.catalog.catalog_digest import catalog_digest
from tests.flows.filled import as_file, fill, photo, posted, smaller

OLD, NEW = "seenbefore-0 of last year", RECIPE
PICTURES = 6


def use(recipe, monkeypatch):
    for module in (fetch_pictures, match_pictures, picture_index):
        monkeypatch.setattr(module, "RECIPE", recipe)


def market(home, monkeypatch):
    """Three photos, each shown by a second seller in other bytes, fingerprinted and compared by the old recipe."""
    use(OLD, monkeypatch)
    originals = [photo(number).resize((200, 150)) for number in range(PICTURES // 2)]
    rows = [
        posted(f"{who}{number}", f"{who}{number}", 1 + number, as_file(image))
        for number, original in enumerate(originals)
        for who, image in (("honest", original), ("thief", smaller(original)))
    ]
    context = fill(home, *rows)
    compare_new_pictures(context, datetime.now(UTC))
    use(NEW, monkeypatch)
    return context


def pending(context):
    with context.catalog.read() as connection:
        return pending_pictures(connection, NEW)


def recipes(context):
    """The recipe of each fingerprint and of its sketch."""
    query = select(images.c.image_id, images.c.recipe, sketches.c.recipe.label("of_sketch"))
    with context.catalog.read() as connection:
        return read_frame(connection, query.join(sketches, sketches.c.image_id == images.c.image_id))


def knowledge(context):
    with context.catalog.read() as connection:
        return catalog_digest(connection)


def interrupted(context, image_ids, after):
    """Fingerprint some pictures, and be killed while the one after so many is read."""
    reading = context.store.get
    done = []

    def get(image_id):
        if len(done) == after:
            raise KeyboardInterrupt
        done.append(image_id)
        return reading(image_id)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(context.store, "get", get)
        fingerprint_pictures(context, image_ids)


@pytest.fixture
def half_way(tmp_path, monkeypatch):
    """A run that was interrupted in its second chunk of pictures."""
    context = market(tmp_path / "home", monkeypatch)
    todo = pending(context)
    assert len(todo) == PICTURES
    fingerprint_pictures(context, todo[:3])
    interrupted(context, todo[3:], after=2)
    return context


def test_what_an_interrupted_run_has_done_is_of_one_recipe_picture_by_picture(half_way):
    found = recipes(half_way)
    assert (found["recipe"] == found["of_sketch"]).all()
    assert sorted(found["recipe"]) == sorted([OLD] * 3 + [NEW] * 3)
    assert sorted(found.loc[found["recipe"] == OLD, "image_id"]) == pending(half_way)


def test_half_way_only_pictures_of_the_recipe_in_force_are_compared_and_found(half_way):
    done = recipes(half_way).query("recipe == @NEW")["image_id"]
    assert compare_new_pictures(half_way, datetime.now(UTC))["compared"] == len(done)
    with half_way.catalog.read() as connection:
        prints = fingerprints(connection, NEW, compared=True)
        sketched = descriptors_of(connection, fingerprints(connection, OLD, compared=True)["image_id"], NEW)
        pairs = read_frame(connection, select(alike))
    assert set(prints["image_id"]) == set(done)
    assert sketched.image_id.empty
    assert (pairs["image_id"].isin(done) == pairs["other_image_id"].isin(done)).all()
    sketches_by_name = picture_index.read_sketches(half_way, prints["image_id"].tolist())
    asked = Queries(half_way, prints.assign(query=prints["image_id"]), dict(sketches_by_name), ())
    found = find_similar(half_way, asked, SearchOptions(kind="phash", within=64), datetime.now(UTC))
    assert found.known == len(done)
    assert set(found.rows["image_id"]) == set(done)


def test_the_next_run_ends_it_as_if_nothing_had_happened(half_way, tmp_path, monkeypatch):
    fingerprint_pictures(half_way, pending(half_way))
    compare_new_pictures(half_way, datetime.now(UTC))
    undisturbed = market(tmp_path / "undisturbed", monkeypatch)
    fingerprint_pictures(undisturbed, pending(undisturbed))
    compare_new_pictures(undisturbed, datetime.now(UTC))
    assert pending(half_way) == []
    found = recipes(half_way)
    assert set(found["recipe"]) | set(found["of_sketch"]) == {NEW}
    assert knowledge(half_way) == knowledge(undisturbed)


def test_fingerprinting_again_by_the_same_recipe_changes_no_bit(half_way):
    fingerprint_pictures(half_way, pending(half_way))
    before, pictures = knowledge(half_way), recipes(half_way)["image_id"]
    with half_way.catalog.read() as connection:
        sketched = descriptors_of(connection, pictures, NEW)
    fingerprint_pictures(half_way, sketched.image_id.tolist())
    assert knowledge(half_way) == before
    with half_way.catalog.read() as connection:
        again = descriptors_of(connection, pictures, NEW)
    pd.testing.assert_series_equal(again.image_id, sketched.image_id)
    for name, octets in sketched.blobs.items():
        np.testing.assert_array_equal(again.blobs[name], octets)


def test_a_picture_that_the_store_lost_loses_its_old_sketch_too(half_way):
    todo = pending(half_way)
    for image_id in todo[:1]:
        half_way.store.remove(image_id)
    assert fingerprint_pictures(half_way, todo) == {"hashed": 2, "lost": 1}
    assert todo[0] not in set(recipes(half_way)["image_id"])
    with half_way.catalog.read() as connection:
        assert todo[0] not in set(read_frame(connection, select(sketches.c.image_id))["image_id"])
