"""Whether features, scores and the share of listings with copied photos are still what they were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from models.monitoring.checks import Alarm, Chart, Check
from models.monitoring.drift import LEAST_UNITS, MATERIAL, Rate, rate_shift, rates, shifts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.catalog.monitoring_counts import Periods
    from models.estimator.scorer import Bands

SHOWN = 12
NAMED = 3
TOLD_MISSING = 0.05
SCORE = "score"
HIGH = "high"
UNIT = ["seller_key", "period"]


def freshness(newest: pd.Timestamp | None, periods: Periods) -> Check:
    """Check that listings still come in."""
    name, code = "New listings", "freshness"
    if newest is None:
        empty = "The catalog is empty: load listings with `seenbefore ingest`."
        return Check(code=code, name=name, found=empty, known=False)
    age_days = (pd.Timestamp(periods.until) - newest) / pd.Timedelta(days=1)
    found = f"The newest listing or picture became known at {newest:%Y-%m-%d %H:%M} UTC, {age_days:.1f} days before."
    if age_days <= periods.days:
        return Check(code=code, name=name, found=found)
    alarm = Alarm(
        sentence=f"Nothing new came in the last {age_days:.1f} days, since {newest:%Y-%m-%d %H:%M} UTC.",
        advice="Look whether the source still writes and the schedule still runs (`seenbefore doctor`); to look at "
        f"past times, `seenbefore monitor --until {newest:%Y-%m-%dT%H:%M:%S}`.",
    )
    return Check(code=code, name=name, found=found, alarms=(alarm,))


def input_drift(before: pd.DataFrame, now: pd.DataFrame, *, compared_with: str, periods: Periods, seed: int) -> Check:
    """Check that features are spread as they were.

    Parameters
    ----------
    before, now
        ``seller_key, period`` and the features.
    compared_with
        What ``before`` is, in words.
    """
    name, code = "Features", "input_drift"
    if (lacking := _lacking(before, now, compared_with)) is not None:
        few = _units(before) < LEAST_UNITS
        advice = " `seenbefore backfill` describes past times by the feature list of this version." if few else ""
        return Check(code=code, name=name, found=lacking + advice, known=False)
    moved = _compared(before, now, seed)
    far = moved[moved["moved"]]
    since = f"since {periods.since(1):%Y-%m-%d}"
    found = (
        f"{len(now):,} descriptions {since} against {len(before):,} of {compared_with}: "
        f"{len(far)} of {len(moved)} features moved by more than chance."
    )
    alarms = () if far.empty else (_inputs_moved(far, since, compared_with),)
    shown = moved.head(SHOWN)
    chart = Chart(
        labels=shown["feature"].tolist(),
        values=shown["psi"].tolist(),
        limits=shown["by_chance"].clip(lower=MATERIAL).tolist(),
        shares=False,
        caption="Population stability index of the features that moved most. The mark is what it must pass to alarm: "
        f"what shuffled sellers stay below, and {MATERIAL} at least.",
    )
    return Check(code=code, name=name, found=found, alarms=alarms, table=moved, chart=chart)


def score_drift(before: pd.DataFrame, now: pd.DataFrame, *, bands: Bands, periods: Periods, seed: int) -> Check:
    """Check that the model's scores are spread as they were.

    Parameters
    ----------
    before, now
        ``seller_key, period, score`` of listings that the model had not learned from.
    bands
        Of the model.
    """
    name, code, compared_with = "Scores", "score_drift", "the periods before"
    if (lacking := _lacking(before, now, compared_with)) is not None:
        return Check(code=code, name=name, found=lacking, known=False)
    (moved,) = _compared(before, now, seed).to_dict("records")
    high = [Rate(hits=int((part[SCORE] >= bands.high).sum()), cases=len(part)) for part in (before, now)]
    since = f"since {periods.since(1):%Y-%m-%d}"
    figures = f"stability index {moved['psi']:.2f}, by chance up to {moved['by_chance']:.2f}"
    found = f"{high[1]} of {len(now):,} scores {since} lie in the band high, {high[0].share:.1%} before; {figures}."
    advice = (
        "Look at the features that moved, and at the queue: a wave of thefts moves them too. If the market changed, "
        "`seenbefore train`; bands follow the volume of its test periods."
    )
    sentence = f"Scores moved {since}: {high[1].share:.1%} are high, {high[0].share:.1%} before ({figures})."
    chart = _periods_chart(
        _high_by_period(pd.concat([before, now]), bands),
        periods,
        "Share of scores in the band high, for each period, with its 90 % interval.",
    )
    alarms = (Alarm(sentence=sentence, advice=advice),) if moved["moved"] else ()
    return Check(code=code, name=name, found=found, alarms=alarms, chart=chart)


def match_rate(counts: pd.DataFrame, periods: Periods) -> Check:
    """Check how many listings have a photo that another seller had shown before.

    Parameters
    ----------
    counts
        As `data.catalog.monitoring_counts.matched_listings` gives them.
    """
    known = rates(counts, hits="matched", cases="listings")
    name, code = "Photos seen before", "match_rate"
    if 0 not in known:
        return Check(code=code, name=name, found="No listing with photos was scored in the newest period.", known=False)
    shift = rate_shift(known.pop(0), list(known.values()))
    found = f"{shift.now} of {shift.now.cases:,} listings had a photo that another seller had shown before"
    found += f"; {shift.before.share:.1%} in the {len(known)} periods before." if known else "."
    table = counts.assign(
        since=[f"{periods.since(number + 1):%Y-%m-%d}" for number in counts["period"].tolist()],
        share=counts["matched"] / counts["listings"],
    )
    since = f"since {periods.since(1):%Y-%m-%d}"
    figures = f"{since}: {shift.now}, {shift.before.share:.1%} before"
    alarms = []
    if shift.rose:
        alarms.append(
            Alarm(
                sentence=f"Far more listings than before show photos of other sellers {figures}.",
                advice="Look at the hub photos: a new placeholder, or a dealer's banner, is taken for theft until "
                "enough sellers share it. If there are none, it is a wave: raise the daily capacity of reviewers.",
            )
        )
    if shift.fell:
        alarms.append(
            Alarm(
                sentence=f"Far fewer listings than before show photos of other sellers {figures}.",
                advice="Look whether pictures still arrive and the match index is whole (`seenbefore doctor`).",
            )
        )
    chart = _periods_chart(
        {0: shift.now, **known},
        periods,
        "Share of listings with a photo seen before under another seller, with its 90 % interval.",
    )
    return Check(
        code=code, name=name, found=found, known=len(known) > 0, alarms=tuple(alarms), table=table, chart=chart
    )


def _lacking(before: pd.DataFrame, now: pd.DataFrame, compared_with: str) -> str | None:
    """Say what is missing for a comparison, if anything is."""
    units_now, units_before = _units(now), _units(before)
    if min(units_now, units_before) >= LEAST_UNITS:
        return None
    return (
        f"Too little to compare: {units_now} sellers now and {units_before} in {compared_with}, "
        f"expected {LEAST_UNITS} at least."
    )


def _units(rows: pd.DataFrame) -> int:
    """Count what is shuffled as a whole: sellers, each within a period."""
    return len(rows[UNIT].drop_duplicates())


def _compared(before: pd.DataFrame, now: pd.DataFrame, seed: int) -> pd.DataFrame:
    names = [name for name in now.columns if name not in UNIT]
    units = [pd.factorize(pd.MultiIndex.from_frame(rows[UNIT]))[0] for rows in (before, now)]
    return shifts(before[names], now[names], units_before=units[0], units_now=units[1], seed=seed)


def _inputs_moved(far: pd.DataFrame, since: str, compared_with: str) -> Alarm:
    named = [_moved(pd.Series(row)) for row in far.head(NAMED).to_dict("records")]
    more = f" and {len(far) - NAMED} more" if len(far) > NAMED else ""
    return Alarm(
        sentence=f"Features moved {since} against {compared_with}: {'; '.join(named)}{more}.",
        advice="Look whether a source changed its columns, currency or photos (`seenbefore export features --out F`). "
        "If the market did, `seenbefore train` when labels of the new time are known.",
    )


def _moved(feature: pd.Series) -> str:
    """Say how far a feature moved, and where to."""
    before, now = feature["missing_before"], feature["missing_now"]
    missing = f", missing {before:.0%} → {now:.0%}" if abs(now - before) >= TOLD_MISSING else ""
    return (
        f"{feature['feature']} (median {feature['median_before']:.3g} → {feature['median_now']:.3g}{missing}, "
        f"index {feature['psi']:.2f}, by chance up to {feature['by_chance']:.2f})"
    )


def _high_by_period(scored: pd.DataFrame, bands: Bands) -> dict[int, Rate]:
    flags = scored.assign(high=scored[SCORE] >= bands.high)
    counts = flags.groupby("period")["high"].agg(hits="sum", cases="size").reset_index()
    return rates(counts, hits="hits", cases="cases")


def _periods_chart(rates: dict[int, Rate], periods: Periods, caption: str) -> Chart:
    return periods_chart([rates.get(number) for number in range(periods.count)], periods, caption)


def periods_chart(rates: Sequence[Rate | None], periods: Periods, caption: str) -> Chart:
    """Return the chart of a rate in each period, the newest given first and drawn last; ``None`` leaves a gap."""
    given = [rate or Rate(hits=0, cases=0) for rate in reversed(rates)]
    return Chart(
        labels=[f"{periods.since(number + 1):%d %b}" for number in reversed(range(len(rates)))],
        values=[rate.share for rate in given],
        lows=[rate.interval[0] for rate in given],
        highs=[rate.interval[1] for rate in given],
        caption=f"{caption} Each mark is named by the day its {periods.days:g} days began.",
    )
