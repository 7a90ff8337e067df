"""What strangers wrote is hostile: whatever would not be seen, or would move what stands around it, is made visible."""

from __future__ import annotations

import unicodedata

UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories without a glyph: controls, direction marks, zero-width characters, surrogates, separators."""


def visible(text: str, limit: int | None = None, *, kept: str = "") -> str:
    r"""Return a text with each unseen character as its number, the whole cut at a length.

    Parameters
    ----------
    text
        A stranger's.
    limit
        Most characters of the result; ``None`` cuts nothing.
    kept
        Unseen characters that may stay, such as line breaks where lines may break.

    Examples
    --------
    >>> visible("abc\u202edef")
    'abc⟨U+202E⟩def'
    """
    start = text[:limit]
    if start.isprintable():
        return start
    return "".join(map(_named, start) if not kept else (c if c in kept else _named(c) for c in start))[:limit]


def _named(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩" if unicodedata.category(character) in UNSEEN else character
