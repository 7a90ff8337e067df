"""What is decided at the desk is what the next training learns from, from the moment it was decided."""

from __future__ import annotations

import pandas as pd

from data.catalog.feature_facts import ANALYST, known_labels
from tests.review.conftest import NOW
from tests.review.market import listing_keys


def labels(context):
    with context.catalog.read() as connection:
        owned = pd.read_sql_query("SELECT DISTINCT listing_key, seller_key FROM listings", connection)
        return known_labels(connection, owned).sort_values("known_at", ignore_index=True)


def test_every_verdict_becomes_a_label_of_the_analysts(ada, context):
    assert labels(context).empty
    said = dict(zip(listing_keys(context), ["fraud", "legit", "unsure"], strict=False))
    for key, verdict in said.items():
        ada.post_form(f"/cases/{key}/verdict", verdict=verdict, seen_version=0)
    found = labels(context)
    assert dict(zip(found["listing_key"], found["label"], strict=True)) == said
    assert (found["source"] == ANALYST).all()
    assert (found["known_at"] == NOW).all()


def test_what_was_taken_back_is_no_label_any_more_from_then_on(ada, clock, context):
    key = listing_keys(context)[0]
    led = ada.post_form(f"/cases/{key}/verdict", verdict="fraud", seen_version=0).headers["location"]
    clock.pass_by(hours=1)
    ada.post_form(f"/verdicts/{led.split('recorded=')[1]}/undo")
    found = labels(context)
    assert found["label"].tolist() == ["fraud", "undecided"]
    assert found["known_at"].is_monotonic_increasing


def test_a_parted_pair_and_a_second_reading_teach_nothing_new_of_the_listing(ada, bob, context):
    key = listing_keys(context)[0]
    with context.catalog.read() as connection:
        pair = connection.exec_driver_sql(
            f"SELECT image_id, other_image_id FROM matches WHERE listing_key = {key}"  # noqa: S608
        ).one()
    ada.post_form(f"/cases/{key}/pair", image_id=pair[0], other_image_id=pair[1])
    assert labels(context).empty
    ada.post_form(f"/cases/{key}/verdict", verdict="fraud", seen_version=1)
    bob.post_form(f"/cases/{key}/verdict", verdict="legit", seen_version=2, second_reading="1")
    assert labels(context)["label"].tolist() == ["fraud", "fraud"]
