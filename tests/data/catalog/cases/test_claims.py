"""Claims wait for no other writer, and of two who claim at once one has the case."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import make_url

from data.catalog.cases.cases import Filter, next_open, save_cases
from data.catalog.cases.claims import claim, claim_on, claims_on, release
from data.catalog.cases.transitions import Decision, decide
from data.catalog.database.engine import claims_file, open_catalog
from tests.data.catalog.desk_rows import scored_cases
from tests.data.catalog.rows import moment

AT_ONCE = 8
LONG_S = 60


def take(catalog, key, who, at=3.0):
    with catalog.claiming() as connection:
        return claim(connection, key, who, moment(at), 15).actor


def test_a_case_is_claimed_and_given_back_while_somebody_else_is_writing(catalog):
    with catalog.write() as connection:
        save_cases(connection, scored_cases(1, 2))
    begun, done = threading.Event(), threading.Event()

    def write_for_long():
        with catalog.write() as connection:
            save_cases(connection, scored_cases(3))
            begun.set()
            assert done.wait(LONG_S)

    with ThreadPoolExecutor(1) as pool:
        writer = pool.submit(write_for_long)
        assert begun.wait(LONG_S)
        try:
            assert take(catalog, 1, "ada") == "ada"
            assert take(catalog, 1, "bob") == "ada"
            with catalog.read() as connection:
                assert next_open(connection, Filter(), "bob", moment(3)) == 2
                assert claims_on(connection, [1, 2], moment(3)) == {1: "ada"}
            with catalog.claiming() as connection:
                release(connection, 1, "ada")
            assert take(catalog, 1, "bob") == "bob"
            assert not writer.done()
        finally:
            done.set()
        writer.result()


def test_of_many_who_claim_at_once_one_has_the_case(catalog):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for key in range(5):
            together = threading.Barrier(AT_ONCE)

            def one(number, key=key, together=together):
                together.wait()
                return take(catalog, key, f"analyst {number}")

            holders = list(pool.map(one, range(AT_ONCE)))
            assert len(set(holders)) == 1


def test_a_verdict_that_is_not_kept_gives_no_case_back(catalog):
    with catalog.write() as connection:
        save_cases(connection, scored_cases(1))
    assert take(catalog, 1, "ada") == "ada"
    given = Decision(listing_key=1, verdict="fraud", problem=None, note="", actor="ada", seen_version=0)
    try:
        with catalog.write() as connection:
            decide(connection, given, moment(3))
            raise InterruptedError
    except InterruptedError:
        pass
    with catalog.read() as connection:
        assert claim_on(connection, 1, moment(3)).actor == "ada"


def test_claims_outlive_the_server_and_a_lost_file_costs_no_more_than_them(tmp_path):
    url = f"sqlite:///{tmp_path / 'catalog.sqlite'}"
    catalog = open_catalog(url)
    assert take(catalog, 1, "ada") == "ada"
    catalog.close()
    catalog = open_catalog(url)
    assert take(catalog, 1, "bob") == "ada"
    catalog.close()
    Path(claims_file(make_url(url).database)).unlink()
    catalog = open_catalog(url)
    assert take(catalog, 1, "bob") == "bob"
    catalog.close()
