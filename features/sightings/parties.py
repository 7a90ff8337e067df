"""Which accounts were known to be one business, as of a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.timeline import Integers, Timeline, microseconds

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from features.timeline import Times


@dataclass(frozen=True, slots=True)
class AccountGroups:
    """The groups that accounts were known to belong to; build it with `AccountGroups.of`."""

    versions: Timeline
    groups: Integers

    @classmethod
    def of(cls, sellers: pd.DataFrame) -> AccountGroups:
        """Take the versions of accounts (``SELLER_COLUMNS``); an account without a row has no group."""
        groups, _ = pd.factorize(sellers["group_id"])
        # The last entry answers for accounts without a version: their row is -1.
        return cls(Timeline.of(sellers["seller_key"], sellers["observed_at"]), np.append(groups.astype(np.int64), -1))

    def number(self, accounts: pd.Series[Any] | Integers, times: Times) -> Integers:
        """Return the number of the group that each account was known to be of at a time, -1 for none."""
        return self.groups[self.versions.latest(np.asarray(accounts, np.int64), times)]

    def same_party(
        self, one: pd.Series[Any] | Integers, other: pd.Series[Any] | Integers, times: Times
    ) -> NDArray[np.bool_]:
        """Tell which pairs of accounts were one party at a time: one account, or accounts of one known group."""
        one, other, times = np.asarray(one, np.int64), np.asarray(other, np.int64), microseconds(times)
        groups, others = np.split(self.number(np.concatenate([one, other]), np.concatenate([times, times])), 2)
        same_party: NDArray[np.bool_] = (one == other) | ((groups >= 0) & (groups == others))
        return same_party
