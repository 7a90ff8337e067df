"""`--home` anywhere, and several pairs behind one `--map`; nothing else is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.cli.arguments import normalised

WORDS = st.lists(
    st.text("ab=-/.", max_size=6).filter(lambda word: not word.startswith(("--home", "--map"))), max_size=6
)


@pytest.mark.parametrize("where", range(4))
def test_home_may_stand_anywhere(where):
    arguments = ["export", "scores", "--out=scores.csv"]
    arguments[where:where] = ["--home", "there"]
    assert normalised(arguments) == ["--home", "there", "export", "scores", "--out=scores.csv"]


def test_the_last_home_counts():
    assert normalised(["--home=here", "score", "--home", "there"]) == ["--home", "there", "score"]


@pytest.mark.parametrize(
    ("given_", "pairs"),
    [
        (["--map", "a=b", "c=d", "e=f"], ["a=b", "c=d", "e=f"]),
        (["--map", "a=b", "--map", "c=d", "e=f"], ["a=b", "c=d", "e=f"]),
        (["--map=a=b", "c=d"], None),
        (["--map", "@const:x=y=marketplace", "1+1=2=title"], ["@const:x=y=marketplace", "1+1=2=title"]),
    ],
)
def test_several_pairs_stand_behind_one_map(given_, pairs):
    found = normalised(["ingest", *given_, "--json"])
    expected = ["--map=a=b", "--map", "c=d"] if pairs is None else [word for pair in pairs for word in ("--map", pair)]
    assert found == ["ingest", *expected, "--json"]


@pytest.mark.parametrize("table", ["year=2026/a.csv", "postgresql://h/db?sslmode=require#t", "a.csv", "./x=y.csv"])
def test_a_table_behind_a_map_is_no_pair(table):
    assert normalised(["ingest", "--map", "a=b", table]) == ["ingest", "--map", "a=b", table]


def test_an_option_ends_the_pairs_of_a_map():
    arguments = ["run", "--map", "a=b", "--timezone", "c=d"]
    assert normalised(arguments) == arguments


def test_nothing_behind_two_dashes_is_an_option():
    arguments = ["similar", "--", "--home", "--map", "a=b", "c=d"]
    assert normalised(arguments) == arguments


@pytest.mark.parametrize("option", ["--home", "--map"])
def test_an_option_without_a_value_is_left_to_be_complained_about(option):
    assert sorted(normalised(["score", option])) == sorted(["score", option])


@given(WORDS, st.lists(st.sampled_from(["a=b", "c=d"]), max_size=3), st.booleans())
def test_doing_it_twice_changes_nothing_more(words, pairs, with_home):
    arguments = [*words, *(["--map", *pairs] if pairs else []), *(["--home", "h"] if with_home else [])]
    once = normalised(arguments)
    assert normalised(once) == once
    assert set(once) == set(arguments)
