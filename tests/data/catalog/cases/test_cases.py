"""The queue shows what is at stake first, to one person at a time, and keeps what became of a case."""

from __future__ import annotations

import pytest

from data.catalog.cases.cases import Filter, State, case_of, choices, counters, next_open, page_of, save_cases
from data.catalog.cases.claims import claim, claim_on, release
from data.catalog.cases.transitions import Decision, decide
from tests.data.catalog.desk_rows import scored_cases
from tests.data.catalog.rows import day, moment


def keys(connection, wanted=None, *, number=1, size=10):
    page = page_of(connection, wanted or Filter(), moment(9), number=number, size=size)
    return [row["listing_key"] for row in page.rows]


def decided(connection, listing_key, verdict):
    given = Decision(listing_key=listing_key, verdict=verdict, problem=None, note="", actor="ada", seen_version=0)
    decide(connection, given, moment(2))


def test_pages_follow_what_is_at_stake(catalog):
    with catalog.write() as connection:
        save_cases(connection, scored_cases(4, 2, 9))
        assert keys(connection) == [4, 2, 9]
        assert keys(connection, number=2, size=2) == [9]
        assert page_of(connection, Filter(), moment(9), number=2, size=2).total == 3


def test_every_filter_narrows_the_queue(catalog):
    with catalog.write() as connection:
        save_cases(connection, scored_cases(1))
        other = {
            "band": "medium", "category": "cars", "edit": "crop", "reason": "price_to_copied", "price": 900.0,
            "posted_at": day(5), "seller_key": 8,
        }  # fmt: skip
        save_cases(connection, scored_cases(2, **other))
        for wanted in (
            Filter(band="medium"), Filter(category="cars"), Filter(edit="crop"), Filter(reason="price_to_copied"),
            Filter(least_price=500), Filter(posted_since_at=moment(4)), Filter(seller_key=8),
        ):  # fmt: skip
            assert keys(connection, wanted) == [2], wanted
        assert keys(connection, Filter(most_price=500)) == [1]
        assert choices(connection)["category"] == ["bikes", "cars"]
        counted = counters(connection, moment(9))
        assert (counted["open_high"], counted["open_medium"], counted["decided"]) == (1, 1, 0)


def test_two_people_are_never_given_one_case(catalog):
    with catalog.write() as connection:
        save_cases(connection, scored_cases(1, 2))
        first = next_open(connection, Filter(), "ada", moment(3))
        assert claim(connection, first, "ada", moment(3), 15).actor == "ada"
        assert next_open(connection, Filter(), "ada", moment(3)) == first
        assert next_open(connection, Filter(), "bob", moment(3)) == 2
        assert claim(connection, first, "bob", moment(3), 15).actor == "ada"
        assert claim(connection, first, "bob", moment(4), 15).actor == "bob"
        release(connection, first, "ada")
        assert claim_on(connection, first, moment(4)).actor == "bob"
        assert next_open(connection, Filter(), "bob", moment(4), after=first) == 2


def test_a_newer_moment_replaces_an_older_one_and_never_the_other_way_round(catalog):
    with catalog.write() as connection:
        save_cases(connection, scored_cases(1, as_of=day(3), score=0.9, audited=1))
        save_cases(connection, scored_cases(1, as_of=day(2), score=0.1))
        assert case_of(connection, 1)["score"] == 0.9
        save_cases(connection, scored_cases(1, as_of=day(4), score=0.5))
        found = case_of(connection, 1)
        assert (found["score"], found["audited"]) == (0.5, 1)


@pytest.mark.parametrize(
    ("verdict", "copied", "state"),
    [("legit", 1, State.DECIDED), ("legit", 3, State.OPEN), ("unsure", 3, State.OPEN), ("fraud", 3, State.DECIDED)],
)
def test_a_decided_case_opens_again_only_for_more_copied_photos(catalog, verdict, copied, state):
    with catalog.write() as connection:
        save_cases(connection, scored_cases(1, copied_images=1))
        decided(connection, 1, verdict)
        save_cases(connection, scored_cases(1, as_of=day(4), copied_images=copied))
        assert case_of(connection, 1)["state"] == state
