"""One file for each kind of page."""

from __future__ import annotations

from review.pages import cases, exports, insight, pictures, queue, search, sellers, signing_in, verdicts

PAGES = (signing_in, queue, cases, pictures, sellers, verdicts, search, insight, exports)
