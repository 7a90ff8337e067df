"""What strangers wrote is shown so that nothing of it is hidden and nothing of it acts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.visible_text import UNSEEN
from review.formatting import link, moment, money, percent, plain, since

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.text())
def test_no_unseen_character_is_left(text):
    import unicodedata

    assert not [each for each in plain(text) if unicodedata.category(each) in UNSEEN and each not in "\n\t"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("ä 漢 🚲", "ä 漢 🚲"),
        (None, ""),
        (float("nan"), ""),
        (pd.NA, ""),
    ],
)
def test_unseen_characters_are_written_as_their_numbers(text, shown):
    assert plain(text) == shown


def test_a_long_text_is_cut_and_says_so():
    assert plain("x" * 30, 10) == "x" * 10 + " … (30 characters)"


@pytest.mark.parametrize("url", ["https://example.org/a?b=1", "http://example.org"])
def test_plain_addresses_may_be_followed(url):
    assert link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JAVASCRIPT:alert(1)", " javascript:alert(1)", "data:text/html,x", "file:///etc/passwd",
        "//example.org", "https://", "https://a@example.org", "https://example.org/\u202e", "http://[", "", None,
    ],
)  # fmt: skip
def test_nothing_else_may(url):
    assert link(url) is None


def test_numbers_and_times_are_written_as_people_say_them():
    assert [percent(0.5), percent(0.031), percent(0.0), percent(None)] == ["50 %", "3.1 %", "0 %", "–"]
    assert [money(1234.5, "EUR"), money(9.5), money(float("nan"))] == ["1,234 EUR", "9.50", "–"]
    assert moment(NOW) == "2026-03-01 12:00"
    assert [moment(None), moment(pd.NaT)] == ["–", "–"]
    assert [since(NOW - timedelta(hours=5), NOW), since(NOW + timedelta(days=2), NOW)] == ["5 h ago", "2 d ahead"]
