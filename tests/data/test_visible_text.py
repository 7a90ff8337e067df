from __future__ import annotations

import pytest

from data.visible_text import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sofa", "sofa"),
        ("so\u200bfa", "so⟨U+200B⟩fa"),
        ("\x1b[31mred", "⟨U+001B⟩[31mred"),
        ("\ud800", "⟨U+D800⟩"),
        ("two\nlines", "two⟨U+000A⟩lines"),
        ("quatre\u00a0vingts €", "quatre\u00a0vingts €"),
    ],
)
def test_every_character_that_would_not_be_seen_is_named(text, shown):
    assert visible(text) == shown


def test_characters_that_are_kept_stay_as_they_are():
    assert visible("two\nlines\u202e", kept="\n") == "two\nlines⟨U+202E⟩"


def test_the_result_is_never_longer_than_the_limit():
    assert visible("abcdef", 4) == "abcd"
    assert visible("\u202e" * 9, 20) == "⟨U+202E⟩⟨U+202E⟩⟨U+2"
