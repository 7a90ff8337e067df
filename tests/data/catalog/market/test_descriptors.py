"""Sketches are kept with the fingerprints, come back as matrices of bytes, and two recipes never meet."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import func, select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import images, sketches
from data.catalog.market.pictures import BLOBS, descriptors_of, forget_pictures, save_fingerprints
from data.errors import CatalogError
from features.point_in_time.ring_features import TIE_LIMITS
from tests.data.catalog.rows import KEY_BYTES, RECIPE, THUMBNAIL_BYTES, hashed, octets, sketched

PICTURES = [f"p{number}" for number in range(7)]


def fingerprinted(catalog, *image_ids: str, recipe: str = RECIPE) -> None:
    with catalog.write() as connection:
        save_fingerprints(
            connection, hashed(*image_ids, recipe=recipe), TIE_LIMITS, sketched(*image_ids, recipe=recipe)
        )


def recipes(catalog) -> dict[str, tuple[str, str | None]]:
    """The recipes of each picture's fingerprint and sketch."""
    query = select(images.c.image_id, images.c.recipe, sketches.c.recipe.label("of_sketch"))
    query = query.join(sketches, sketches.c.image_id == images.c.image_id, isouter=True)
    with catalog.read() as connection:
        rows = read_frame(connection, query).astype(object)
    return {row.image_id: (row.recipe, None if pd.isna(row.of_sketch) else row.of_sketch) for row in rows.itertuples()}


def test_the_sketches_of_some_pictures_come_sorted_and_byte_for_byte(catalog):
    fingerprinted(catalog, *PICTURES)
    with catalog.read() as connection:
        found = descriptors_of(connection, ["p5", "nobody", "p1", "p5"], RECIPE)
    assert found.image_id.tolist() == ["p1", "p5"]
    assert set(found.blobs) == set(BLOBS) == {"search_keys", "thumbnail"}
    for name, n_bytes in (("search_keys", KEY_BYTES), ("thumbnail", THUMBNAIL_BYTES)):
        assert found.blobs[name].dtype == np.uint8
        assert [row.tobytes() for row in found.blobs[name]] == [octets(one, RECIPE, n_bytes) for one in ("p1", "p5")]


def test_only_the_bytes_that_are_asked_for_are_read(catalog):
    fingerprinted(catalog, *PICTURES)
    with catalog.read() as connection:
        part = descriptors_of(connection, PICTURES, RECIPE, blobs=["search_keys"])
    assert {name: matrix.shape for name, matrix in part.blobs.items()} == {"search_keys": (7, KEY_BYTES)}


def test_where_there_are_none_there_are_no_rows(catalog):
    with catalog.read() as connection:
        part = descriptors_of(connection, PICTURES, RECIPE)
        found = descriptors_of(connection, [], RECIPE)
    for none in (part, found):
        assert none.image_id.tolist() == []
        assert {len(matrix) for matrix in none.blobs.values()} == {0}


def test_a_new_recipe_takes_the_place_of_the_old_in_fingerprint_and_descriptor_together(catalog):
    fingerprinted(catalog, "p1", "p2")
    fingerprinted(catalog, "p2", recipe="another")
    assert recipes(catalog) == {"p1": (RECIPE, RECIPE), "p2": ("another", "another")}
    with catalog.read() as connection:
        assert descriptors_of(connection, PICTURES, RECIPE).image_id.tolist() == ["p1"]
        assert descriptors_of(connection, PICTURES, "another").image_id.tolist() == ["p2"]


def test_a_picture_that_cannot_be_read_any_more_loses_its_sketch(catalog):
    fingerprinted(catalog, "p1", "p2")
    unreadable = {"image_id": ["p2"], "status": "unreadable", "reason": "poison_time", "recipe": "another"}
    with catalog.write() as connection:
        save_fingerprints(connection, pd.DataFrame(unreadable), TIE_LIMITS)
    assert recipes(catalog) == {"p1": (RECIPE, RECIPE), "p2": ("another", None)}


def test_a_picture_that_is_forgotten_leaves_no_sketch(catalog):
    fingerprinted(catalog, "p1", "p2")
    with catalog.write() as connection:
        forget_pictures(connection, ["p2", "nobody"], TIE_LIMITS)
        left = connection.execute(select(sketches.c.image_id)).scalars().all()
    assert left == ["p1"]


def test_fingerprints_whose_sketches_cannot_be_kept_are_not_kept_either(catalog):
    fingerprinted(catalog, "p1")
    with pytest.raises(CatalogError), catalog.write() as connection:
        lacking = sketched("p1", "p2", recipe="another").assign(thumbnail=[b"", None])
        save_fingerprints(connection, hashed("p1", "p2", recipe="another"), TIE_LIMITS, lacking)
    assert recipes(catalog) == {"p1": (RECIPE, RECIPE)}


def test_sketches_of_different_lengths_are_never_laid_into_one_matrix(catalog):
    fingerprinted(catalog, "p1", "p2")
    with catalog.write() as connection:
        connection.execute(sketches.update().where(sketches.c.image_id == "p2").values(search_keys=b"0" * 26))
        assert connection.execute(select(func.count()).select_from(sketches)).scalar_one() == 2
        with pytest.raises(ValueError, match=r"search_keys of sketches of one recipe differ in length: \[24, 26\]"):
            descriptors_of(connection, PICTURES, RECIPE)
