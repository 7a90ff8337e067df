"""Whether decisions still come, and whether what was queued turns out to be fraud."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from models.monitoring.checks import Alarm, Check
from models.monitoring.drift import Rate, rate_shift, rates
from models.monitoring.drift_checks import periods_chart

if TYPE_CHECKING:
    from data.catalog.monitoring_counts import Periods
    from models.evaluation.random_sample_estimate import RandomSampleEstimate, Share

BROKEN_PROMISE = 0.1
"""By how much precision must fall short of the mean score to matter."""
LEAST_DECIDED = 10


def label_lag(lags: pd.DataFrame, periods: Periods, *, delay_days: float) -> Check:
    """Check how many listings are decided on within the time that training waits for labels.

    Parameters
    ----------
    lags
        As `data.catalog.monitoring_counts.label_lags` gives them.
    delay_days
        How long training waits.
    """
    name, code = "Label lag", "label_lag"
    ripe = int(np.ceil(delay_days / periods.days))
    table = _by_age(lags, periods, delay_days)
    if table["decided"].sum() == 0:
        found = f"None of {table['listings'].sum():,} listings of the last {periods.count} periods was decided on."
        return Check(code=code, name=name, found=found, known=False, table=table)
    in_time = rates(table[table["period"] >= ripe], hits="decided_in_time", cases="listings")
    overall = Rate(hits=int(table["decided"].sum()), cases=int(table["listings"].sum()))
    lag = _weighted_median(lags)
    found = f"{overall.share:.0%} of {overall.cases:,} listings are decided on, half of these within {lag:.0f} days."
    chart = periods_chart(
        [in_time.get(number) for number in range(periods.count)],
        periods,
        f"Share of listings decided on within {delay_days:g} days, with its 90 % interval; the newest had no time yet.",
    )
    if ripe not in in_time:
        return Check(code=code, name=name, found=found, known=False, table=table, chart=chart)
    shift = rate_shift(in_time.pop(ripe), list(in_time.values()))
    alarms = (_slower(shift.now, shift.before, periods, ripe, delay_days),) if shift.fell else ()
    return Check(code=code, name=name, found=found, alarms=alarms, table=table, chart=chart)


def queue_precision(queued: pd.DataFrame, periods: Periods, *, model_id: str) -> Check:
    """Check that queued listings turn out to be fraud as often as their scores promised.

    Parameters
    ----------
    queued
        ``period, model_id, score, y`` (1 fraud, 0 legit, NaN undecided), of listings that the model had not learned
        from when they came.
    model_id
        The model in use, which is judged; others are shown.
    """
    name, code = "Queue precision", "queue_precision"
    table = _precision(queued, periods)
    mine = queued[(queued["model_id"] == model_id) & queued["y"].notna()]
    if mine.empty:
        undecided = int((queued["model_id"] == model_id).sum())
        found = f"None of {undecided:,} listings that {model_id} put into the band high is decided on yet."
        return Check(code=code, name=name, found=found, known=False, table=table)
    rate = Rate(hits=int(mine["y"].sum()), cases=len(mine))
    promised = float(mine["score"].mean())
    found = (
        f"{rate} of {rate.cases:,} decided listings that {model_id} queued were fraud; scores promised {promised:.0%}."
    )
    sums = mine.groupby("period")["y"].agg(fraud="sum", decided="size").reset_index()
    by_period = rates(sums, hits="fraud", cases="decided")
    chart = periods_chart(
        [by_period.get(number) for number in range(periods.count)],
        periods,
        f"Share of frauds among decided listings that {model_id} put into the band high, with its 90 % interval.",
    )
    known = rate.cases >= LEAST_DECIDED
    broken = known and rate.interval[1] < promised - BROKEN_PROMISE
    first = mine["as_of"].min()
    alarm = Alarm(
        sentence=f"The queue holds less fraud than promised: {rate} of {rate.cases:,} decided listings since "
        f"{first:%Y-%m-%d}, where scores promised {promised:.0%}.",
        advice="Look at the false alarms (`seenbefore evaluate`), then `seenbefore train`; until it is better, "
        "`seenbefore models rollback`.",
    )
    return Check(
        code=code, name=name, found=found, known=known, alarms=(alarm,) if broken else (), table=table, chart=chart
    )


def random_sample_check(estimate: RandomSampleEstimate, *, days: float) -> Check:
    """Tell what listings drawn at random say of the fraud below the queue."""
    name, code = "Fraud below the queue", "audit"
    if not estimate.fraud_in_rest.decided:
        found = (
            f"None of {estimate.drawn:,} listings drawn at random in the last {days:g} days is decided on, so "
            "nothing is known of what the queue misses."
        )
        return Check(code=code, name=name, found=found, known=False)
    found = (
        f"By {estimate.fraud_in_rest.decided:,} decided listings drawn at random, {_share(estimate.fraud_in_rest)} of "
        f"the {estimate.rest:,} listings below the queue are fraud, and the queue holds "
        f"{_share(estimate.recall)} of all."
    )
    return Check(code=code, name=name, found=found)


def operating_point_check(counts: list[int], *, pictures: int, point: float, edges: tuple[float, float]) -> Check:
    """Tell where two pictures are taken for one photo at the catalog's size, and how many matches lie close to it.

    Parameters
    ----------
    counts
        Matches of the newest period: below the lower edge, up to the point, up to the upper edge, above.
    edges
        Probabilities on either side of ``point``.
    """
    close, total = counts[1] + counts[2], sum(counts)
    found = (
        f"With {pictures:,} pictures, two are taken for one photo from a probability of {point:.3f}; {close:,} of "
        f"{total:,} new matches lie close to it ({edges[0]:.3f} to {edges[1]:.3f})."
    )
    spans = [f"below {edges[0]:.3f}", f"{edges[0]:.3f} to {point:.3f}", f"{point:.3f} to {edges[1]:.3f}", "above"]
    table = pd.DataFrame({"same_photo": spans, "matches": counts, "counts_as_copy": ["", "", "yes", "yes"]})
    return Check(code="operating_point", name="Same photo", found=found, known=total > 0, table=table)


def _by_age(lags: pd.DataFrame, periods: Periods, delay_days: float) -> pd.DataFrame:
    """Count listings, decided ones and those decided in time for each period of their coming, the oldest first."""
    counted = lags.assign(
        decided=lags["listings"].where(lags["lag_days"].notna(), 0),
        decided_in_time=lags["listings"].where((lags["lag_days"] < delay_days).fillna(False).astype(bool), 0),
    )
    sums = counted.groupby("period")[["listings", "decided", "decided_in_time"]].sum().sort_index(ascending=False)
    since = [f"{periods.since(int(number) + 1):%Y-%m-%d}" for number in sums.index]
    return sums.reset_index().assign(since=since, undecided=(1 - sums["decided"] / sums["listings"]).to_numpy())


def _weighted_median(lags: pd.DataFrame) -> float:
    decided = lags[lags["lag_days"].notna()].sort_values("lag_days")
    upto = decided["listings"].cumsum().to_numpy()
    return float(decided["lag_days"].iloc[int(np.searchsorted(upto, upto[-1] / 2))])


def _slower(now: Rate, before: Rate, periods: Periods, ripe: int, delay_days: float) -> Alarm:
    return Alarm(
        sentence=f"Decisions come later: {now} of the listings that came from {periods.since(ripe + 1):%Y-%m-%d} to "
        f"{periods.since(ripe):%Y-%m-%d} were decided on within {delay_days:g} days, {before.share:.1%} before.",
        advice="Load the newest labels (`seenbefore ingest LISTINGS --labels LABELS`). If they really come later, "
        "raise SEENBEFORE_MODEL__DELAY_DAYS before the next training, or it takes what is undecided for a quiet time.",
    )


def _precision(queued: pd.DataFrame, periods: Periods) -> pd.DataFrame:
    """Tell, for each period and model, how many listings were queued, decided and fraud."""
    counted = queued.assign(decided=queued["y"].notna(), promised=queued["score"].where(queued["y"].notna()))
    found = counted.groupby(["period", "model_id"], as_index=False).agg(
        queued=("score", "size"), decided=("decided", "sum"), fraud=("y", "sum"), promised=("promised", "mean")
    )
    counts = found[["fraud", "decided"]].astype("int64").itertuples(index=False, name=None)
    known = [Rate(hits=fraud, cases=decided) for fraud, decided in counts]
    told = found.assign(
        since=[f"{periods.since(int(number) + 1):%Y-%m-%d}" for number in found["period"]],
        precision=[rate.share for rate in known],
        low=[rate.interval[0] for rate in known],
        high=[rate.interval[1] for rate in known],
    ).astype({"decided": "int64", "fraud": "int64"})
    return told.sort_values(["period", "model_id"], ascending=[False, True], ignore_index=True)


def _share(share: Share) -> str:
    return f"{share.value:.1%} ({share.low:.1%} to {share.high:.1%})"
