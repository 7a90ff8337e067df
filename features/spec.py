"""What a feature is: the one ordered list of ``FeatureSpec`` that everything downstream reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Block = Literal["reuse", "price", "seller", "ring", "listing"]

UNITS = {
    "count": "{:,.0f}",
    "characters": "{:,.0f}",
    "bits": "{:.0f}",
    "days": "{:,.1f}",
    "points": "{:.1f}",
    "ratio": "{:.2f}",
    "log": "{:.2f}",
    "share": "{:.0%}",
    "probability": "{:.0%}",
}
"""What features are measured in, and how a value is written for people.

``share`` and ``probability`` lie between 0 and 1, ``log`` is a natural logarithm, ``points`` are on the marketplace's
own scale.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """One feature: its meaning, unit and known direction.

    Parameters
    ----------
    name
        Column name, unique in the list.
    block
        Which group of evidence it belongs to (ablations drop whole blocks).
    unit
        One of `UNITS`.
    meaning
        One plain sentence, as printed in the feature reference.
    missing
        What NaN means here; empty when the feature is never missing.
    direction
        +1 if more of it can only speak for fraud, -1 if it can only speak against, 0 if unknown.
    reason
        Sentence shown to analysts when the feature raised a score, with ``{value}`` to fill; empty: never a reason.
    """

    name: str
    block: Block
    unit: str
    meaning: str
    missing: str = ""
    direction: Literal[-1, 0, 1] = 0
    reason: str = ""

    def sentence(self, value: float) -> str:
        """Return the reason with a value filled in.

        >>> share = FeatureSpec(name="s", block="reuse", unit="share", meaning="", reason="Copied: {value}.")
        >>> share.sentence(0.75)
        'Copied: 75%.'
        """
        return self.reason.format(value=UNITS[self.unit].format(value))


def fingerprint(specs: Sequence[FeatureSpec]) -> str:
    """Return 16 hex digits that change whenever a name, order, unit, meaning, or direction does."""
    text = json.dumps([asdict(spec) for spec in specs], sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
