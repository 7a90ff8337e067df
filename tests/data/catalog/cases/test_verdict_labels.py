"""Verdicts count as labels from the moment they were given, and none of them is forgotten."""

from __future__ import annotations

import pandas as pd
import pytest

from data.catalog.database.frames import insert, joined_keys
from data.catalog.database.schema import verdicts
from data.catalog.feature_facts import ANALYST, known_labels, verdict_labels
from data.catalog.market.listings import save_labels
from models.dataset.examples import training_labels
from tests.data.catalog.rows import day, labels, moment

KEYS = dict(zip("abc", map(int, joined_keys(["default"] * 3, list("abc"))), strict=True))
OWNERS = pd.DataFrame({"listing_key": KEYS.values(), "seller_key": [1, 2, 3]})


def give(connection, *rows: tuple[str, str, float], pair: tuple[str | None, str | None] = (None, None)) -> None:
    """Append verdicts (listing, verdict, day)."""
    frame = pd.DataFrame(
        {
            "verdict_id": [f"{name} {verdict} {at} {pair}" for name, verdict, at in rows],
            "listing_key": [KEYS[name] for name, _, _ in rows],
            "verdict": [verdict for _, verdict, _ in rows],
            "decided_at": [day(at) for _, _, at in rows],
        }
    )
    images = pd.DataFrame({"image_id": pair[0], "other_image_id": pair[1]}, index=frame.index, dtype="str")
    insert(connection, verdicts, pd.concat([frame, images], axis=1).assign(actor="kim"))


def known(connection, name: str, at: float) -> float | None:
    """What training takes the listing for at a moment: 1, 0 or nothing."""
    asked = pd.DataFrame({"listing_key": [KEYS[name]]})
    found = training_labels(asked, known_labels(connection, OWNERS), moment(at))["y"].iloc[0]
    return None if pd.isna(found) else float(found)


def test_a_verdict_is_a_label_from_the_moment_it_was_given_and_a_later_one_replaces_it(catalog):
    with catalog.write() as connection:
        give(connection, ("a", "fraud", 3), ("a", "unsure", 5), ("a", "legit", 7))
        assert [known(connection, "a", at) for at in (2.9, 3, 4.9, 5, 7)] == [None, 1.0, 1.0, None, 0.0]


def test_labels_from_outside_and_verdicts_are_weighed_by_time_alone(catalog):
    with catalog.write() as connection:
        save_labels(connection, labels({"listing_id": "b", "labelled_at": day(4), "observed_at": day(6)}))
        give(connection, ("b", "legit", 5))
        assert [known(connection, "b", at) for at in (4.5, 5.5, 6)] == [None, 0.0, 1.0]
        found = known_labels(connection, OWNERS).sort_values("known_at")
    assert found["source"].tolist()[0] == ANALYST
    assert found["seller_key"].tolist() == [2, 2]
    assert str(found["known_at"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize("pair", [("p1", "p2"), ("p1", None), (None, "p2")])
def test_a_verdict_on_a_pair_of_pictures_is_no_label(catalog, pair):
    with catalog.write() as connection:
        give(connection, ("c", "legit", 3), pair=pair)
        assert verdict_labels(connection, OWNERS["listing_key"]).empty
        assert known_labels(connection, OWNERS).empty
