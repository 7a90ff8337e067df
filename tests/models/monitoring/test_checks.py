"""A check alarms with what, how much, since when and what to do; with too little to tell, it says what it lacks."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest

from data.catalog.monitoring_counts import Periods
from models.estimator.scorer import Bands
from models.evaluation.random_sample_estimate import RandomSampleEstimate, Share
from models.monitoring.checks import Alarm, Chart, Check, State
from models.monitoring.drift_checks import freshness, input_drift, match_rate, score_drift
from models.monitoring.queue_checks import label_lag, operating_point_check, queue_precision, random_sample_check
from models.monitoring.supply_checks import fetch_failures, hub_images
from models.reports.charts import sparkline
from models.reports.monitor_page import figure, monitor_page
from tests.data.catalog.rows import day, moment

PERIODS = Periods(until=moment(70), days=7, count=9)
SINCE = f"{day(63):%Y-%m-%d}"


def said(check):
    """The one alarm of a check, which must say since when and what to do."""
    (alarm,) = check.alarms
    assert check.state is State.ALARM
    assert re.search(r"\d{4}-\d{2}-\d{2}", alarm.sentence)
    assert alarm.sentence.endswith(".")
    assert alarm.advice.endswith(".")
    return alarm.sentence


def rows(generator, sellers, shift=0.0, period=0):
    seller = np.repeat(np.arange(sellers), 2)
    score = 1 / (1 + np.exp(-(generator.normal(size=len(seller)) + shift)))
    return pd.DataFrame({"seller_key": seller, "period": period, "score": score})


def matched(now, before=(20,) * 8, listings=200):
    hits = [now, *before]
    return pd.DataFrame({"period": range(len(hits)), "listings": listings, "matched": hits}).iloc[::-1]


def hosts(**failures):
    """Outcomes of hosts, 100 addresses in each period: how many failed in each, the newest first."""
    cells = []
    for host, failed in failures.items():
        for period, count in enumerate(failed):
            cells += [(host, period, "timeout", count), (host, period, None, 100 - count)]
    found = pd.DataFrame(cells, columns=["host", "period", "reason", "addresses"])
    return found[found["addresses"] > 0].astype({"reason": "str"})


def lags(shares, late=20):
    """Of 100 listings a period: so many decided after 3 days, ``late`` after 30."""
    cells = []
    for period, share in enumerate(shares):
        cells += [(period, 3, share), (period, 30, late), (period, pd.NA, 100 - share - late)]
    return pd.DataFrame(cells, columns=["period", "lag_days", "listings"]).astype({"lag_days": "Int64"})


def queue(decided, frauds, score=0.8, model_id="m"):
    y = [1.0] * frauds + [0.0] * (decided - frauds) + [math.nan] * 5
    cells = {"period": 1, "model_id": model_id, "score": score, "as_of": day(60), "y": y}
    return pd.DataFrame(cells)


def share(value, decided=100):
    return Share(value=value, low=value / 2, high=value * 2, decided=decided)


def test_new_listings_are_fresh_late_or_none():
    assert freshness(day(69), PERIODS).state is State.OK
    assert freshness(None, PERIODS).state is State.UNKNOWN
    assert "last 20.0 days, since 2026-02-20" in said(freshness(day(50), PERIODS))


def test_features_that_moved_are_named_with_what_they_were():
    generator = np.random.default_rng(0)
    before, now = rows(generator, 400, period=3), rows(generator, 150, shift=2.0)
    check = input_drift(before, now, compared_with="the training window", periods=PERIODS, seed=1)
    assert f"since {SINCE} against the training window: score (median 0.4" in said(check)
    same = input_drift(before, rows(generator, 150), compared_with="w", periods=PERIODS, seed=1)
    assert same.state is State.OK
    assert "0 of 1 features moved" in same.found


def test_a_few_sellers_are_too_few_to_compare_and_a_missing_past_can_be_made():
    generator = np.random.default_rng(1)
    few = input_drift(rows(generator, 5), rows(generator, 100), compared_with="w", periods=PERIODS, seed=1)
    assert few.state is State.UNKNOWN
    assert "100 sellers now and 5 in w, expected 20" in few.found
    assert "seenbefore backfill" in few.found
    none = score_drift(
        rows(generator, 0), rows(generator, 0), bands=Bands(high=0.5, medium=0.1), periods=PERIODS, seed=1
    )
    assert none.state is State.UNKNOWN


def test_scores_that_moved_tell_the_share_that_is_high():
    generator = np.random.default_rng(2)
    bands = Bands(high=0.9, medium=0.5)
    before = pd.concat([rows(generator, 100, period=number) for number in range(1, 5)])
    check = score_drift(before, rows(generator, 150, shift=2.0), bands=bands, periods=PERIODS, seed=1)
    assert f"Scores moved since {SINCE}" in said(check)
    assert score_drift(before, rows(generator, 150), bands=bands, periods=PERIODS, seed=1).state is State.OK


def test_the_match_rate_alarms_in_both_directions():
    assert f"Far more listings than before show photos of other sellers since {SINCE}: 25.0%" in said(
        match_rate(matched(50), PERIODS)
    )
    assert "Far fewer" in said(match_rate(matched(2), PERIODS))
    assert match_rate(matched(22), PERIODS).state is State.OK
    assert match_rate(matched(3, before=[1] * 8, listings=10), PERIODS).state is State.OK
    assert match_rate(matched(20).query("period > 0"), PERIODS).state is State.UNKNOWN
    assert match_rate(matched(20).query("period == 0"), PERIODS).state is State.UNKNOWN


def test_a_host_alarms_when_it_fails_more_than_it_used_to():
    failing = fetch_failures(hosts(good=[2] * 9, bad=[60, *[3] * 8], gone=[90] * 9), PERIODS)
    sentence = said(failing)
    assert sentence.startswith("bad gave no readable picture for 60.0%")
    assert "3.0% before; most often timeout" in sentence
    assert failing.table["host"].tolist() == ["gone", "bad", "good"]


def test_a_new_host_alarms_only_if_most_of_it_fails_and_a_small_one_never():
    assert "with fewer than 3 periods" in said(fetch_failures(hosts(new=[80]), PERIODS))
    assert fetch_failures(hosts(new=[40]), PERIODS).state is State.OK
    tiny = hosts(tiny=[100]).assign(addresses=5)
    assert fetch_failures(tiny, PERIODS).state is State.OK
    assert fetch_failures(hosts(old=[0, 1]).query("period > 0"), PERIODS).state is State.UNKNOWN


@pytest.mark.parametrize(
    ("sellers_new", "sharing", "alarms"), [(30, 40, 1), (30, 5_000, 0), (4, 4, 0)], ids=["fast", "old hub", "small"]
)
def test_a_photo_alarms_when_most_of_its_many_sellers_are_new(sellers_new, sharing, alarms):
    hubs = pd.DataFrame(
        {
            "image_id": ["f" * 64],
            "first_seen_at": [day(60)],
            "sellers_new": [sellers_new],
            "listings_new": [sellers_new],
            "sellers_sharing": [sharing],
            "information": [0.1],
        }
    )
    check = hub_images(hubs, PERIODS)
    assert len(check.alarms) == alarms
    assert check.table["flat"].tolist() == ["yes"]
    if alarms:
        assert "ffffffffffff… was taken up by 30 sellers" in said(check)


def test_decisions_that_come_later_alarm_once_the_listings_are_old_enough_to_tell():
    slow = label_lag(lags([0, 5, *[40] * 7]), PERIODS, delay_days=7)
    assert "5.0% (" in said(slow)
    assert "decided on within 7 days, 40.0% before" in said(slow)
    assert label_lag(lags([0, 38, *[40] * 7]), PERIODS, delay_days=7).state is State.OK
    assert label_lag(lags([0, 5, *[40] * 7]), PERIODS, delay_days=14).state is State.OK
    assert label_lag(lags([0] * 9, late=0), PERIODS, delay_days=7).state is State.UNKNOWN


def test_ages_tell_who_is_undecided():
    table = label_lag(lags([10, 30]), PERIODS, delay_days=7).table
    assert table[["listings", "decided", "decided_in_time"]].to_numpy().tolist() == [[100, 50, 30], [100, 30, 10]]
    assert table["undecided"].tolist() == pytest.approx([0.5, 0.7])


def test_a_queue_that_breaks_its_promise_alarms():
    assert "40.0% (30.9% to 49.8%)" in said(queue_precision(queue(70, 28), PERIODS, model_id="m"))
    assert queue_precision(queue(70, 54), PERIODS, model_id="m").state is State.OK
    assert queue_precision(queue(5, 0), PERIODS, model_id="m").state is State.UNKNOWN
    other = queue_precision(queue(70, 28, model_id="other"), PERIODS, model_id="m")
    assert other.state is State.UNKNOWN
    assert other.table["model_id"].tolist() == ["other"]


def test_the_precision_of_each_period_has_an_interval():
    row = queue_precision(queue(10, 7), PERIODS, model_id="m").table.iloc[0]
    assert (row["queued"], row["decided"], row["fraud"]) == (15, 10, 7)
    assert row["low"] < 0.7 < row["high"]


def test_the_audit_tells_what_the_queue_misses():
    told = RandomSampleEstimate(
        precision=share(0.8), fraud_in_rest=share(0.01), recall=share(0.4), top=50, rest=950, drawn=120
    )
    found = random_sample_check(told, days=30).found
    assert "1.0% (0.5% to 2.0%) of the 950 listings below the queue are fraud" in found
    nobody = RandomSampleEstimate(
        precision=share(0.8), fraud_in_rest=share(math.nan, 0), recall=share(math.nan, 0), top=5, rest=9, drawn=3
    )
    assert random_sample_check(nobody, days=30).state is State.UNKNOWN


def test_the_operating_point_tells_how_many_matches_lie_close_to_it():
    check = operating_point_check([9, 2, 3, 80], pictures=4_000, point=0.8, edges=(0.6, 0.9))
    assert "5 of 94 new matches lie close to it" in check.found
    assert operating_point_check([0] * 4, pictures=0, point=0.5, edges=(0.3, 0.7)).state is State.UNKNOWN


def test_the_page_holds_every_check_and_escapes_what_strangers_wrote():
    alarm = Alarm(sentence="<script>host</script> fails.", advice="Run `seenbefore doctor`.")
    table = pd.DataFrame({"host": ["<b>h</b>"] * 30, "share": 0.25, "first_seen_at": day(1)})
    chart = Chart(
        labels=["<i>", "b"], values=[0.1, math.nan], lows=[0.0, math.nan], highs=[0.2, math.nan], caption="<c>"
    )
    checks = [
        Check(code="fetch", name="Hosts", found="<u>found</u>", alarms=(alarm,), table=table, chart=chart),
        Check(code="other", name="Other", found="nothing", known=False),
    ]
    page = monitor_page(checks, PERIODS, model_id="rule-1")
    for tag in ("<script", "<b>h", "<i>", "<c>", "<u>", "http:", "https:"):
        assert tag not in page.replace("http://www.w3.org", "")
    assert "18 more" in page
    assert "25.0%" in page
    assert "<code>seenbefore doctor</code>" in page
    assert page.count("<circle") == 1


def test_a_bar_that_passes_its_limit_stands_out():
    chart = Chart(labels=["a", "b"], values=[0.5, 0.1], limits=[0.3, 0.3], shares=False, caption="c")
    assert [bar.over for bar in sparkline(chart).bars] == [True, False]
    assert not sparkline(Chart(labels=[], values=[], limits=[], caption="c")).bars
    page = monitor_page([Check(code="c", name="C", found="", chart=chart)], PERIODS, model_id="m")
    assert page.count('class="over"') == 1


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [("n", 1234, "1,234"), ("psi", 0.12345, "0.123"), ("psi", 3.0, "3"), ("share", 0.5, "50.0%"), ("x", None, ""),
     ("at", day(1), "2026-01-02"), ("x", True, "yes"), ("x", False, ""), ("x", math.nan, "")],
)  # fmt: skip
def test_figures_are_written_for_people(name, value, text):
    assert figure(name, value) == text
