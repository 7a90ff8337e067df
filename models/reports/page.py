"""The paper a report is written on: one HTML page with its style, tables and pictures. No script, no link out."""

from __future__ import annotations

import base64
import re
from html import escape
from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMAND = re.compile("`([^`]+)`")
PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { color-scheme: light dark; --paper: #fff; --ink: #1d2329; --pale: #5d6772; --line: #dde2e7; --soft: #f4f6f8;
  --lead: #0b6e99; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14181c; --ink: #e6e9ec; --pale: #9aa5b0; --line: #2e363e; --soft: #1c2228; --lead: #58b4dc; }
  .plot img { filter: invert(.92) hue-rotate(180deg); }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 66rem;
  margin: 2rem auto 4rem; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .5rem; padding-top: .75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .15rem; overflow-wrap: anywhere; }
p, ul, ol { max-width: 48rem; margin: .4rem 0 .8rem; } li { margin: .25rem 0; }
.note, figcaption, small { color: var(--pale); font-size: .9rem; }
nav { font-size: .92rem; margin: 1rem 0; } nav a { margin-right: 1.1rem; color: var(--lead); white-space: nowrap; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(14rem, 1fr)); gap: .75rem; margin: 1.2rem 0; }
.tile { background: var(--soft); border-radius: 8px; padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.9rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile small { display: block; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .95rem; margin: .6rem 0; }
th { text-align: left; font-weight: 600; font-size: .88rem; color: var(--pale); vertical-align: bottom; }
th, td { padding: .4rem 1.4rem .4rem 0; border-bottom: 1px solid var(--line); }
td { vertical-align: top; } td:first-child { overflow-wrap: anywhere; min-width: 7rem; }
td small { display: block; white-space: nowrap; }
th.number, td.number { text-align: right; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1.2rem; }
.beside { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem; align-items: flex-start; }
.beside .scroll { flex: 1 1 30rem; min-width: 0; } .beside .plot { flex: 0 1 22rem; margin-top: .6rem; }
figure { margin: 0; } .plot img { width: 100%; background: #fff; border-radius: 8px; }
.case { margin: 1rem 0; padding: .9rem 1rem; background: var(--soft); border-radius: 8px; }
.case ul { margin: .3rem 0 .6rem; padding-left: 1.2rem; font-size: .95rem; }
.pairs { display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; }
.pair { max-width: min(30rem, 100%); }
.pair div { display: flex; gap: .4rem; margin-bottom: .3rem; align-items: flex-start; }
code { background: var(--soft); border-radius: 4px; padding: .1rem .3rem; font-size: .9em; }
.pair img { max-height: 10.5rem; max-width: calc(50% - .2rem); border-radius: 4px; }
@media print { body { margin: 0; } .case, .plot, tr { break-inside: avoid; } nav { display: none; } }
</style>
</head>
<body>
$body
</body>
</html>
""")


def page(title: str, body: str) -> str:
    """Return the whole page; ``body`` is markup."""
    return PAGE.substitute(title=escape(title), body=body)


def section(anchor: str, heading: str, content: str, lead: str = "") -> str:
    """Return a section under a heading, with a sentence on how to read it; ``content`` is markup."""
    said = f'<p class="note">{escape(lead)}</p>\n' if lead else ""
    return f'<h2 id="{anchor}">{escape(heading)}</h2>\n{said}{content}'


def note(text: str) -> str:
    """Return a remark."""
    return f'<p class="note">{escape(text)}</p>'


def bullets(texts: Sequence[str]) -> str:
    """Return a list, empty where there is nothing to list; `` `commands` `` are set as such."""
    items = "".join("<li>" + COMMAND.sub(r"<code>\1</code>", escape(text)) + "</li>" for text in texts)
    return f"<ul>{items}</ul>" if items else ""


def tile(value: str, name: str, *explained: str) -> str:
    """Return one large figure under its name, with small print below, line by line."""
    lines = "".join(f"<small>{escape(line)}</small>" for line in explained)
    return f'<div class="tile">{escape(name)}<b>{escape(value)}</b>{lines}</div>'


def cell(value: str, below: str = "") -> str:
    """Return the markup of a table's cell, with small print below."""
    return escape(value) + (f"<small>{escape(below)}</small>" if below else "")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> str:
    """Return a table whose first ``texts`` columns are words and whose others are figures.

    Parameters
    ----------
    heads
        Column headings, as text.
    rows
        Cells as markup; see `cell`.
    texts
        How many columns are set flush left.
    """
    if not rows:
        return note("Nothing to show.")
    css = ["" if number < texts else ' class="number"' for number in range(len(heads))]
    head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(css, heads, strict=True))
    body = "\n".join(
        "<tr>" + "".join(f"<td{kind}>{value}</td>" for kind, value in zip(css, row, strict=True)) + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'


def picture(content: bytes, media_type: str, alternative: str) -> str:
    """Return a picture with its bytes inside the page."""
    encoded = base64.b64encode(content).decode("ascii")
    return f'<img alt="{escape(alternative)}" src="data:{media_type};base64,{encoded}">'


def plot(svg: bytes, name: str, how_to_read: str) -> str:
    """Return a drawn figure with a caption."""
    caption = f"<figcaption><b>{escape(name)}.</b> {escape(how_to_read)}</figcaption>"
    return f'<figure class="plot">{picture(svg, "image/svg+xml", name)}{caption}</figure>'
