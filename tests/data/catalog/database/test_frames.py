"""Frames written to tables come back as they were, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from data.catalog.database.frames import (
    delete_by_keys,
    insert,
    joined_ids,
    joined_keys,
    read_batches,
    read_by_keys,
    read_frame,
    update_by_keys,
    upsert,
    whole_table,
)
from data.catalog.database.schema import features, fetches, images, sightings
from data.catalog.scores.scores import unpack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data.catalog.database.engine import Catalog

HASHES = ["ahash", "phash", "dhash", "whash", "colorhash"]
MANY = 45_000  # more than either database takes as parameters of one query

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
bits = st.integers(0, 2**64 - 1)
instants = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))


def n_of(catalog: Catalog, table) -> int:
    with catalog.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def replaced(catalog: Catalog, table, frame: pd.DataFrame) -> pd.DataFrame:
    """Make ``frame`` all that a table holds and read it back in the same order."""
    key = next(iter(table.primary_key)).name
    with catalog.write() as connection:
        connection.execute(table.delete())
        insert(connection, table, frame)
    with catalog.read() as connection:
        return read_frame(connection, whole_table(table, list(frame.columns)).order_by(table.c[key]))


def numbered(numbers: Iterable[int]) -> list[str]:
    return [f"{number:032x}" for number in numbers]


def addresses(n: int) -> pd.DataFrame:
    return pd.DataFrame({"url_id": numbered(range(n)), "image_url": "a", "status": "pending", "attempts": 0})


same_catalog = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@same_catalog
@given(rows=st.lists(st.tuples(texts, st.none() | texts, st.none() | st.floats(allow_nan=False), bits), max_size=6))
def test_texts_measures_and_hashes_come_back_as_they_were(catalog, rows):
    frame = pd.DataFrame(
        {
            "image_id": [f"{number}{row[0]}" for number, row in enumerate(rows)],
            "status": "hashed",
            "reason": pd.Series([row[1] for row in rows], dtype="str"),
            "information": np.array([row[2] for row in rows], dtype=np.float64),
            "compared": 0,
        }
    ).astype({"image_id": "str", "status": "str", "compared": "int64"})
    for kind in HASHES:
        frame[kind] = np.array([row[3] for row in rows], dtype=np.uint64)
    found = replaced(catalog, images, frame).set_index("image_id").reindex(frame["image_id"]).reset_index()
    pd.testing.assert_frame_equal(found.astype(frame.dtypes), frame)
    pd.testing.assert_series_equal(replaced(catalog, images, frame).dtypes, frame.dtypes)


@same_catalog
@given(times=st.lists(st.none() | instants, max_size=6))
def test_times_come_back_to_the_microsecond(catalog, times):
    frame = addresses(len(times)).assign(known_at=pd.Series(times, dtype="datetime64[us, UTC]"))
    found = replaced(catalog, fetches, frame)
    pd.testing.assert_series_equal(found["known_at"], frame["known_at"])


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_of_any_resolution_and_zone_are_the_same_instants(catalog, unit):
    times = pd.Series(pd.to_datetime(["2026-03-29T01:30:00+02:00", None], utc=True))
    local = times.dt.tz_convert("Europe/Berlin").dt.as_unit(unit)
    found = replaced(catalog, fetches, addresses(2).assign(known_at=local))["known_at"]
    pd.testing.assert_series_equal(found, times.dt.as_unit("us"), check_names=False)


@pytest.mark.parametrize("dtype", ["UInt64", "object"])
def test_a_missing_hash_stays_missing_beside_one_with_the_top_bit(catalog, dtype):
    values = pd.Series([2**64 - 1, None, 2**63, 2**53 + 1], dtype=dtype)
    frame = pd.DataFrame({"image_id": list("abcd"), "status": "hashed", "phash": values, "compared": 0})
    found = replaced(catalog, images, frame)["phash"]
    assert found.dtype == "UInt64"
    assert found.tolist() == [2**64 - 1, pd.NA, 2**63, 2**53 + 1]


def test_hashes_and_keys_that_lost_bits_in_floating_point_are_refused(catalog):
    frame = pd.DataFrame({"image_id": ["a"], "status": "hashed", "phash": [float(2**63)], "compared": 0})
    with pytest.raises(TypeError, match="phash came as floating point"):
        replaced(catalog, images, frame)
    sighting = {"image_id": ["a"], "listing_key": [1.0], "seller_key": 1, "position": 0, "matched": 0}
    with pytest.raises(TypeError, match="listing_key came as floating point"):
        replaced(catalog, sightings, pd.DataFrame(sighting))


def test_whole_numbers_that_may_be_missing_are_nullable_only_where_one_is(catalog):
    status = pd.Series([200, None], dtype="Int64")
    found = replaced(catalog, fetches, addresses(2).assign(http_status=status))
    assert found["http_status"].dtype == "Int64"
    assert found["http_status"].tolist() == [200, pd.NA]
    assert found["attempts"].dtype == "int64"


def test_whole_numbers_that_pandas_made_floats_are_stored_as_whole_numbers(catalog):
    found = replaced(catalog, fetches, addresses(2).assign(http_status=[404.0, np.nan], n_bytes=[np.nan, 7.0]))
    assert found["http_status"].tolist() == [404, pd.NA]
    assert found["n_bytes"].tolist() == [pd.NA, 7]


def test_feature_vectors_come_back_bit_for_bit(catalog):
    vectors = np.array([[0.1, -0.0, np.nan], [np.inf, 5e-324, -np.nan]])
    frame = pd.DataFrame({"listing_key": [1, 2], "as_of": pd.Timestamp("2026-01-01", tz="UTC"), "spec": "s"})
    found = replaced(catalog, features, frame.assign(vector=[row.tobytes() for row in vectors]))
    back = unpack(found["vector"], ["a", "b", "c"]).to_numpy()
    assert back.tobytes() == vectors.tobytes()


def test_an_empty_table_gives_the_same_column_types(catalog):
    for table in (images, fetches, sightings, features):
        names = [column.name for column in table.columns]
        empty = replaced(catalog, table, pd.DataFrame(columns=names))
        assert list(empty.columns) == names
        assert empty.empty
    assert replaced(catalog, images, pd.DataFrame(columns=["image_id", "phash", "information"])).dtypes.to_dict() == {
        "image_id": pd.StringDtype(na_value=np.nan),
        "phash": np.dtype("uint64"),
        "information": np.dtype("float64"),
    }


def test_inserting_again_changes_nothing_and_upserting_changes_what_it_names(catalog):
    with catalog.write() as connection:
        insert(connection, fetches, addresses(2))
        insert(connection, fetches, addresses(3).assign(status="ok", attempts=9))
        upsert(connection, fetches, addresses(1).assign(status="gone", attempts=5), update=["status"])
    with catalog.read() as connection:
        found = read_frame(connection, whole_table(fetches, ["status", "attempts"]).order_by(fetches.c.url_id))
    assert found["status"].tolist() == ["gone", "pending", "ok"]
    assert found["attempts"].tolist() == [0, 0, 9]


def test_more_keys_than_a_query_can_take_are_read_updated_and_deleted(catalog):
    keys = numbered(range(MANY))
    twice = keys[::-1] + keys
    with catalog.write() as connection:
        insert(connection, fetches, addresses(MANY))
        update_by_keys(connection, fetches, fetches.c.url_id, twice, attempts=3)
        found = read_by_keys(connection, whole_table(fetches, ["url_id", "attempts"]), fetches.c.url_id, twice)
        assert sorted(found["url_id"]) == keys
        assert set(found["attempts"]) == {3}
        delete_by_keys(connection, fetches, fetches.c.url_id, keys[1:])
    assert n_of(catalog, fetches) == 1


@pytest.mark.parametrize("keys", [[], np.array([], dtype=np.int64), pd.Series([None, None], dtype="str")])
def test_reading_by_no_keys_gives_no_rows_with_the_right_columns(catalog, keys):
    with catalog.write() as connection:
        insert(connection, images, pd.DataFrame({"image_id": ["a"], "status": "stored", "compared": [0]}))
        query = whole_table(images, ["image_id", "phash"])
        found = read_by_keys(connection, query, images.c.image_id, keys)
        delete_by_keys(connection, images, images.c.image_id, keys)
        update_by_keys(connection, images, images.c.image_id, keys, status="hashed")
        assert connection.execute(select(images.c.status)).scalars().all() == ["stored"]
    assert found.empty
    assert list(found.columns) == ["image_id", "phash"]


@pytest.mark.parametrize(("n", "sizes"), [(0, [0]), (3, [3]), (10, [4, 4, 2])])
def test_batches_hold_all_rows_once_and_there_is_always_one(catalog, n, sizes):
    with catalog.write() as connection:
        insert(connection, fetches, addresses(n))
    with catalog.read() as connection:
        query = whole_table(fetches, ["url_id", "status"]).order_by(fetches.c.url_id)
        batches = list(read_batches(connection, query, 4))
    assert [len(batch) for batch in batches] == sizes
    assert pd.concat(batches)["url_id"].tolist() == numbered(range(n))
    assert str(batches[0]["status"].dtype) == "str"


def test_keys_are_the_same_on_every_machine():
    # What `b2sum -l 64`, read as little-endian, and `b2sum -l 128` print.
    addresses = ["", "https://example.org/a.jpg"]
    assert joined_keys(addresses).tolist() == [-5426141060434712860, -9084706639314162163]
    assert joined_ids(addresses) == ["cae66941d9efbd404e4d88758ea67670", "e6c8386bc8bdc774c26f260cea2502a1"]
    assert joined_keys(["default"], ["42"]).dtype == np.int64


@settings(deadline=None)
@given(left=st.tuples(texts, texts), right=st.tuples(texts, texts))
def test_different_ids_have_different_keys(left, right):
    clean = [tuple(part.replace("\x1f", "") for part in pair) for pair in (left, right)]
    keys = [joined_keys([marketplace], [listing])[0] for marketplace, listing in clean]
    assert (keys[0] == keys[1]) == (clean[0] == clean[1])
