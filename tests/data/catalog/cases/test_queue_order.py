"""Every combination of filters gives what a plain look at all cases gives, from indexes alone."""

from __future__ import annotations

from itertools import product

import numpy as np
from sqlalchemy import select, text

from data.catalog.cases import queue_order
from data.catalog.cases.cases import Filter, State, page_of, save_cases, set_state
from data.catalog.cases.queue_order import count_of, in_order, keys_of
from data.catalog.database.engine import open_catalog
from tests.data.catalog.desk_rows import scored_cases
from tests.data.catalog.rows import day, moment

CASES = 120
NOW = moment(9)


def many_cases(seed: int = 3):
    rng = np.random.default_rng(seed)
    found = scored_cases(*range(1, CASES + 1)).assign(
        priority=rng.integers(0, 40, CASES).astype("float64"),
        band=rng.choice(["high", "medium"], CASES),
        category=rng.choice(["bikes", "cars"], CASES),
        edit=rng.choice(["crop", "mirror"], CASES),
        reason=rng.choice(["copied_photos", "price_to_copied"], CASES),
        seller_key=rng.choice([7, 8], CASES),
        price=rng.choice([50.0, 500.0, None], CASES).astype("float64"),
    )
    return found.assign(posted_at=[day(number) for number in rng.integers(0, 8, CASES)])


FILTERS = [
    {name: value for part in parts for name, value in part.items()}
    for parts in product(
        ({}, {"band": "high"}), ({}, {"category": "cars"}), ({}, {"edit": "crop"}), ({}, {"reason": "copied_photos"}),
        ({}, {"seller_key": 8}), ({}, {"least_price": 100.0}), ({}, {"posted_since_at": moment(4)}),
    )
]  # fmt: skip


def expected(found, given, waits):
    kept = found[found["listing_key"].isin(waits)]
    for name, value in given.items():
        if name == "least_price":
            kept = kept[kept["price"] >= value]
        elif name == "posted_since_at":
            kept = kept[kept["posted_at"] >= value]
        else:
            kept = kept[kept[name] == value]
    return kept.sort_values(["priority", "listing_key"], ascending=False)["listing_key"].tolist()


def test_all_combinations_of_filters_follow_the_plain_order(catalog):
    found = many_cases()
    with catalog.write() as connection:
        save_cases(connection, found)
        set_state(connection, 5, State.SNOOZED, until=moment(8))
        set_state(connection, 6, State.SNOOZED, until=moment(10))
        set_state(connection, 7, State.DECIDED)
        waits = set(range(1, CASES + 1)) - {6, 7}
        for given in FILTERS:
            wanted = expected(found, given, waits)
            pages = [page_of(connection, Filter(**given), NOW, number=number, size=9) for number in (1, 2)]
            assert [row["listing_key"] for page in pages for row in page.rows] == wanted[:18], given
            assert {page.total for page in pages} == {len(wanted)}, given


def test_what_no_index_is_ordered_by_is_looked_for_among_the_most_at_stake_alone(catalog, monkeypatch):
    monkeypatch.setattr(queue_order, "LOOKED_THROUGH", 30)
    found = many_cases()
    with catalog.write() as connection:
        save_cases(connection, found)
        most = expected(found, {"band": "high"}, range(1, CASES + 1))[:30]
        wanted = expected(found, {"least_price": 100.0}, most)
        page = page_of(connection, Filter(band="high", least_price=100.0), NOW, number=1, size=100)
        assert [row["listing_key"] for row in page.rows] == wanted


def test_sqlite_reads_no_row_of_the_table_for_open_cases(tmp_path):
    catalog = open_catalog(f"sqlite:///{tmp_path / 'catalog.sqlite'}")
    try:
        with catalog.read() as connection:
            for given in FILTERS:
                if "seller_key" not in given:  # a seller's few cases are put in order when they are asked for
                    look_at_the_plan(connection, given)
    finally:
        catalog.close()


def look_at_the_plan(connection, given):
    wanted = Filter(**given)
    found = keys_of(wanted, NOW, 25)
    for query in (select(found.c.listing_key).order_by(*in_order(found)), select(count_of(wanted, NOW, 100))):
        told = query.compile(connection.engine, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {told}"))]
        reads = [step for step in plan if "cases" in step]
        # The second read is that of snoozed cases whose time has come, which are few.
        assert sum("COVERING INDEX cases_" in step for step in reads) == 1, plan
        assert len(reads) == 2
