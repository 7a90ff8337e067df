"""Whether pictures still arrive, and whether one of them spreads among many sellers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from features.facts import LOW_INFORMATION
from models.monitoring.checks import Alarm, Check
from models.monitoring.drift import LEAST_PERIODS, Rate, RateShift, rate_shift, rates

if TYPE_CHECKING:
    import pandas as pd

    from data.catalog.monitoring_counts import Periods

SHOWN = 20
LEAST_ADDRESSES = 20
"""Addresses of a host in the newest period from which it is judged."""
BAD_SHARE = 0.5
"""A host without a past is alarming from this share of addresses that gave no picture."""
LEAST_FAILED = 0.05
"""Below this share a host may double its failures without anybody being told."""
HUB_SELLERS = 10
"""Sellers who take up a photo within one period, from which it is a hub that spreads."""
FAST_SHARE = 0.5
"""A hub spreads fast if at least this share of all its sellers took it up in the newest period."""


def fetch_failures(outcomes: pd.DataFrame, periods: Periods) -> Check:
    """Check, host by host, how many addresses gave no readable picture.

    Parameters
    ----------
    outcomes
        As `data.catalog.monitoring_counts.fetch_outcomes` gives them.
    """
    name, code = "Pictures by host", "fetch_failures"
    newest = outcomes[outcomes["period"] == 0]
    if newest.empty:
        return Check(code=code, name=name, found="No picture was asked for in the newest period.", known=False)
    table = _hosts(outcomes)
    now = Rate(hits=int(table["without_picture"].sum()), cases=int(table["addresses"].sum()))
    found = f"{now} of {now.cases:,} addresses of {len(table)} hosts gave no readable picture."
    judged = table.loc[table["addresses"] >= LEAST_ADDRESSES, "host"]
    shifts = {host: _shift(outcomes[outcomes["host"] == host]) for host in judged}
    alarms = [_alarm(host, shift, table, periods) for host, shift in shifts.items() if _alarming(shift)]
    return Check(code=code, name=name, found=found, alarms=tuple(alarms), table=table.head(SHOWN))


def hub_images(hubs: pd.DataFrame, periods: Periods) -> Check:
    """Check whether a photo spreads among many sellers.

    Parameters
    ----------
    hubs
        As `data.catalog.monitoring_counts.hub_photos` gives them, for the newest period.
    """
    since = f"since {periods.since(1):%Y-%m-%d}"
    table = hubs.assign(flat=np.where(hubs["information"] < LOW_INFORMATION, "yes", "")).drop(columns="information")
    fast = hubs[(hubs["sellers_new"] >= HUB_SELLERS) & (hubs["sellers_new"] >= FAST_SHARE * hubs["sellers_sharing"])]
    found = (
        f"{len(hubs)} photos were taken up by several sellers {since}, {len(fast)} of them by {HUB_SELLERS} or more "
        "and mostly in this time."
        if len(hubs)
        else f"No known photo was taken up by several sellers {since}."
    )
    alarms = tuple(
        Alarm(
            sentence=f"Picture {str(row.image_id)[:12]}… was taken up by {row.sellers_new:,} sellers with "
            f"{row.listings_new:,} listings {since}; {row.sellers_sharing:,} share it in all, the first from "
            f"{row.first_seen_at:%Y-%m-%d}.",
            advice="Look at it (`seenbefore duplicates`): a placeholder or a maker's picture counts less the more "
            "sellers share it; a ring of thieves is for review.",
        )
        for row in fast.itertuples()
    )
    return Check(code="hub_images", name="Hub photos", found=found, alarms=alarms, table=table)


def _hosts(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return each host of the newest period, the one with most failures first."""
    newest = outcomes[outcomes["period"] == 0]
    failed = newest[newest["reason"].notna()].sort_values("addresses", ascending=False, kind="stable")
    hosts = newest.groupby("host")["addresses"].sum().to_frame()
    hosts["without_picture"] = failed.groupby("host")["addresses"].sum()
    hosts["unreadable"] = failed[failed["reason"] == "unreadable"].groupby("host")["addresses"].sum()
    hosts["commonest_reason"] = failed.drop_duplicates("host").set_index("host")["reason"]
    filled = hosts.fillna({"without_picture": 0, "unreadable": 0, "commonest_reason": ""})
    whole = filled.astype({"without_picture": "int64", "unreadable": "int64"}).reset_index()
    return whole.sort_values(
        ["without_picture", "addresses", "host"], ascending=[False, False, True], ignore_index=True
    )


def _shift(of_host: pd.DataFrame) -> RateShift:
    """Compare a host's failures with those of its past."""
    failed = of_host["addresses"].where(of_host["reason"].notna(), 0)
    counted = of_host.assign(failed=failed).groupby("period")[["failed", "addresses"]].sum()
    known = rates(counted.reset_index(), hits="failed", cases="addresses")
    return rate_shift(known.pop(0), list(known.values()))


def _alarming(shift: RateShift) -> bool:
    if np.isnan(shift.chance):
        return shift.now.interval[0] >= BAD_SHARE
    return shift.rose and shift.now.share >= LEAST_FAILED


def _alarm(host: str, shift: RateShift, table: pd.DataFrame, periods: Periods) -> Alarm:
    reason = str(table.set_index("host")["commonest_reason"][host])
    past = (
        f"{shift.before.share:.1%} before"
        if shift.before.cases
        else f"with fewer than {LEAST_PERIODS} periods to compare with"
    )
    return Alarm(
        sentence=f"{host} gave no readable picture for {shift.now} of {shift.now.cases:,} addresses since "
        f"{periods.since(1):%Y-%m-%d}, {past}; most often {reason}.",
        advice="Open one of its addresses (`seenbefore export images --out F`, column reason). If it blocks us, write "
        "to its owner and lower SEENBEFORE_FETCH__REQUESTS_PER_HOST_S; if its addresses changed, load the listings "
        "anew.",
    )
