"""Which business an account belonged to, as far as was known at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.timeline import Integers, Timeline, microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AccountGroups:
    """The groups that accounts were known to belong to; build it with `AccountGroups.of`."""

    versions: Timeline
    groups: Integers

    @classmethod
    def of(cls, sellers: pd.DataFrame) -> AccountGroups:
        """Take the versions of accounts (``SELLER_COLUMNS``); an account without a row has no group."""
        versions = Timeline.of(sellers["seller_key"].to_numpy(), microseconds(sellers["observed_at"]))
        groups, _ = pd.factorize(sellers["group_id"])
        # The last entry answers for accounts without a version: their row is -1.
        return cls(versions, np.append(groups.astype(np.int64), -1))

    def number(self, seller_keys: Integers, times_us: Integers) -> Integers:
        """Return the group's number, -1 for none."""
        return self.groups[self.versions.latest(seller_keys, times_us)]

    def one_party(self, seller_keys: Integers, others: Integers, times_us: Integers) -> NDArray[np.bool_]:
        """Tell which pairs of accounts were one party: the same account, or accounts of one known group."""
        groups = self.number(seller_keys, times_us)
        same_group: NDArray[np.bool_] = (groups >= 0) & (groups == self.number(others, times_us))
        one_party: NDArray[np.bool_] = (seller_keys == others) | same_group
        return one_party
