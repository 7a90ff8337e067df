"""One file for each kind of page."""

from __future__ import annotations

from review.pages import (
    case_page,
    exports_page,
    insight_page,
    pictures_page,
    queue_page,
    search_page,
    seller_page,
    sign_in_page,
    verdict_page,
)

PAGES = (
    sign_in_page,
    queue_page,
    case_page,
    pictures_page,
    seller_page,
    verdict_page,
    search_page,
    insight_page,
    exports_page,
)
