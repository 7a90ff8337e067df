"""A self-contained HTML sheet of pictures in strips, each with what is known of it. No script, no link out."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from html import escape
from string import Template
from typing import TYPE_CHECKING

from data.images.fetch_outcome import safe_text

if TYPE_CHECKING:
    from collections.abc import Sequence

LINE_CHARACTERS = 300
STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --accent: light-dark(#0b6e99, #6cc3e8); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 82rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .25rem; }
h2 { font-size: 1.05rem; margin: 0 0 .75rem; overflow-wrap: anywhere; }
section { border-top: 1px solid var(--line); padding: 1.25rem 0; }
.strip { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
figure { margin: 0; width: 15rem; }
figure.asked { border-right: 1px solid var(--line); padding-right: 1rem; }
.picture { height: 13rem; display: flex; align-items: center; justify-content: center;
  background: var(--soft); border-radius: 6px; overflow: hidden; }
.picture img { max-width: 100%; max-height: 100%; }
figcaption { font-size: .85rem; margin-top: .4rem; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
figcaption b { color: var(--accent); }
figcaption span { display: block; unicode-bidi: isolate; }
.note { opacity: .75; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="$policy">
<title>$title</title>
<style>$style</style>
</head>
<body>
<h1>$title</h1>
<p>$summary</p>
$strips
</body>
</html>
""")
POLICY = f"default-src 'none'; img-src data:; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'"


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture (a JPEG of ours, or ``None`` where it cannot be shown) and what is known of it, line by line."""

    picture: bytes | None
    title: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures side by side.

    Parameters
    ----------
    heading
        What they have to do with each other.
    tiles
        The pictures.
    asked
        The picture the others are compared with, if there is one; it stands first.
    note
        What is not shown.
    """

    heading: str
    tiles: tuple[Tile, ...]
    asked: Tile | None = None
    note: str = ""


def sheet_html(title: str, summary: str, strips: Sequence[Strip]) -> str:
    """Return the page; all text is escaped, made printable and cut at ``LINE_CHARACTERS``."""
    return PAGE.substitute(
        title=_text(title),
        summary=_text(summary),
        policy=escape(POLICY, quote=True),
        style=STYLE,
        strips="\n".join(_strip(strip) for strip in strips),
    )


def _strip(strip: Strip) -> str:
    asked = "" if strip.asked is None else _tile(strip.asked, ' class="asked"')
    tiles = "\n".join(_tile(tile) for tile in strip.tiles)
    note = f'\n<p class="note">{_text(strip.note)}</p>' if strip.note else ""
    return f'<section>\n<h2>{_text(strip.heading)}</h2>\n<div class="strip">{asked}{tiles}</div>{note}\n</section>'


def _tile(tile: Tile, attribute: str = "") -> str:
    lines = "".join(f"<span>{_text(line)}</span>" for line in tile.lines)
    caption = f"<figcaption><b>{_text(tile.title)}</b>{lines}</figcaption>"
    return f'<figure{attribute}><div class="picture">{_picture(tile)}</div>{caption}</figure>'


def _picture(tile: Tile) -> str:
    if tile.picture is None:
        return '<span class="note">cannot be shown</span>'
    encoded = base64.b64encode(tile.picture).decode("ascii")
    return f'<img alt="{_text(tile.title)}" src="data:image/jpeg;base64,{encoded}">'


def _text(text: str) -> str:
    return escape(safe_text(text, LINE_CHARACTERS))
