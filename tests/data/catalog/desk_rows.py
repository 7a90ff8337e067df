"""Cases as scoring hands them to the catalog."""

from __future__ import annotations

import pandas as pd

from tests.data.catalog.rows import day


def scored_cases(*listing_keys: int, **columns: object) -> pd.DataFrame:
    """Cases of some listings, the first at most stake; ``columns`` replace defaults."""
    count = len(listing_keys)
    defaults = {
        "as_of": day(1), "model_id": "rule-1", "score": 0.8, "band": "high", "value": 100.0, "seller_key": 7,
        "category": "bikes", "price": 100.0, "currency": "EUR", "edit": "mirror", "reason": "copied_photos",
        "copied_images": 1, "posted_at": day(0), "audited": 0,
    }  # fmt: skip
    frame = pd.DataFrame({"listing_key": list(listing_keys), "priority": [float(count - row) for row in range(count)]})
    return frame.assign(**defaults | columns)
