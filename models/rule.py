"""The documented rule that scores before the first model is trained, and the baseline a model must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from models.threshold import Bands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec

RULE_ID = "rule-1"
RULE_BANDS = Bands(high=0.5, medium=0.1)
RULE_FEATURES = ("surest_same_photo", "copied_share", "posted_lead_days", "rarest_sellers", "price_to_copied")

NO_EVIDENCE = -4.0
"""Log-odds of a listing nothing speaks against: under two in a hundred."""
SURE_COPY = 5.0
"""A surely copied, rare photo alone lifts a listing to 0.73."""
WHOLE_SET = 1.5
"""Added when every photo of the listing was seen before."""
GIVEN_AWAY = 1.5
"""Added as the price falls from the copied listing's to nothing."""
RARE_SELLERS = 3.0
"""Up to so many sellers a photo is rare; beyond, it counts for that many divided by the number of sellers."""
CLOSE_DAYS = 1.0
"""Within a day either way, who posted first is doubtful: the evidence fades from whole to none over this span."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Rule 1: somebody else showed these rare photos first.

    ``log-odds = -4 + c · (5 + 1.5 · copied_share + 1.5 · discount)``, where

    - ``c = surest_same_photo · rarity · lead`` is how surely a rare photo was taken from an earlier poster,
    - ``rarity = min(1, 3 / rarest_sellers)``, 1 where it is not known,
    - ``lead`` rises from 0 at a day behind to 1 at a day ahead (``posted_lead_days``), 1 where it is not known,
    - ``discount = 1 - price_to_copied`` within 0 and 1, 0 where a price is not known.

    Without a copied photo the score is 0.018 whatever else is known. The numbers are judgements, not learned;
    more evidence never lowers the score. Features of `RULE_FEATURES` that the list lacks count as unknown.

    Parameters
    ----------
    feature_names
        Columns of the matrices to score, in order.
    """

    feature_names: tuple[str, ...]

    @property
    def model_id(self) -> str:
        """Name that its scores carry."""
        return RULE_ID

    @property
    def bands(self) -> Bands:
        """Fixed least scores of the bands."""
        return RULE_BANDS

    @property
    def trained_until(self) -> None:
        """Nothing was learned, so every decision may judge it."""
        return

    @property
    def reference(self) -> NDArray[np.float64]:
        """A listing whose photos nobody showed before: nothing to tell about copies."""
        return np.full(len(self.feature_names), np.nan)

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rule's log-odds, shape (rows,)."""
        surest, share, lead_days, sellers, price_ratio = (self._column(x, name) for name in RULE_FEATURES)
        rarity = RARE_SELLERS / np.fmax(sellers, RARE_SELLERS)
        lead = np.clip(np.nan_to_num(lead_days / CLOSE_DAYS, nan=1.0) / 2 + 0.5, 0.0, 1.0)
        discount = 1 - np.clip(np.nan_to_num(price_ratio, nan=1.0), 0.0, 1.0)
        copied = np.nan_to_num(surest) * rarity * lead
        return NO_EVIDENCE + copied * (SURE_COPY + WHOLE_SET * np.nan_to_num(share) + GIVEN_AWAY * discount)

    def probabilities(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return probability-like scores from 0 to 1; they order listings, they are not calibrated."""
        return np.asarray(expit(margins), dtype=np.float64)

    def _column(self, x: NDArray[np.float64], name: str) -> NDArray[np.float64]:
        if name not in self.feature_names:
            return np.full(len(x), np.nan)
        return x[:, self.feature_names.index(name)]


def rule_for(specs: Sequence[FeatureSpec]) -> Rule:
    """Return the rule for matrices in the order of ``specs``."""
    return Rule(tuple(spec.name for spec in specs))
