"""The documented rule that scores before the first model is trained, and the baseline a model must beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from models.estimator.scorer import Bands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from features.spec import FeatureSpec

RULE_ID = "rule-1"
RULE_BANDS = Bands(high=0.5, medium=0.1)
RULE_FEATURES = (
    "surest_same_photo",
    "copied_share",
    "photos_from_one_listing",
    "owner_certainty",
    "rarest_sellers",
    "price_to_copied",
)

NO_EVIDENCE = -4.0
"""Log-odds of a listing nothing speaks against: under two in a hundred."""
SURE_COPY = 2.5
"""One surely copied, rare photo is worth a look but no alarm: it may be a maker's picture, or a borrowed one."""
WHOLE_LISTING = 0.5
"""Added when every photo of the listing was seen before."""
SAME_SET = 2.5
"""Added when several photos come from one and the same listing: people borrow a picture, thieves take the set."""
GIVEN_AWAY = 1.5
"""Added as the price falls from the copied listing's to nothing, taken away as it rises to twice: nobody lures with
a higher price, and other goods under the same picture speak for a placeholder."""
DOUBT = 0.25
"""Who was merely observed later, but had posted earlier, is accused of nothing: up to this certainty of the other
side's being first the evidence counts for none, and from there it grows to whole."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Rule 1: somebody else showed these rare photos first.

    ``log-odds = -4 + c · (2.5 + 0.5 · copied_share + 2.5 · set + 1.5 · discount)``, where

    - ``c = surest_same_photo · rarity · lead`` is how surely a rare photo was taken from an earlier poster,
    - ``rarity = 1 / rarest_sellers``: any of those who had shown the photo may be where it came from, and the more
      they are, the less it is anybody's own; 1 where it is not known,
    - ``lead`` rises from 0 at an ``owner_certainty`` of 0.25 to 1 where it is 1, and is 1 where it is not known,
    - ``set = photos_from_one_listing - 1`` within 0 and 1, 0 where it is not known,
    - ``discount = 1 - price_to_copied`` within -1 and 1, 0 where a price is not known.

    Without a copied photo the score is 0.018 whatever else is known. At the copied listing's price, a surely copied
    photo among others scores about 0.2, a listing's only photo 0.27, and a wholly copied set 0.82.
    The numbers are judgements, not learned; more evidence never lowers the score. Features of `RULE_FEATURES` that
    the list lacks count as unknown.

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
        surest, share, together, certainty, sellers, price_ratio = (self._column(x, name) for name in RULE_FEATURES)
        rarity = 1 / np.fmax(sellers, 1.0)
        lead = np.clip((np.nan_to_num(certainty, nan=1.0) - DOUBT) / (1 - DOUBT), 0.0, 1.0)
        same_set = np.clip(np.nan_to_num(together) - 1, 0.0, 1.0)
        discount = 1 - np.clip(np.nan_to_num(price_ratio, nan=1.0), 0.0, 2.0)
        copied = np.nan_to_num(surest) * rarity * lead
        weight = SURE_COPY + WHOLE_LISTING * np.nan_to_num(share) + SAME_SET * same_set + GIVEN_AWAY * discount
        return NO_EVIDENCE + copied * weight

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
