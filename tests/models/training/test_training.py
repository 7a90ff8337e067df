from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from data.errors import CallerError, NotEnoughLabels
from data.settings import ModelSettings
from models.estimator.rule import RULE_ID, rule_for
from models.evaluation.evaluation import evaluate
from models.evaluation.random_sample_estimate import RandomSampleEstimate, Share
from models.registry.card import card_markdown
from models.reports.advice import advice
from models.reports.evaluation_report import MisjudgedListing, PhotoPair, report_html
from models.training.promotion import compare, decide
from models.training.train import CANDIDATE, train


def test_training_judges_the_candidate_beside_its_baselines(trained):
    evaluation = trained.evaluation
    found = evaluation.value("average_precision", CANDIDATE)
    assert found > evaluation.value("average_precision", RULE_ID)
    assert found > 3 * evaluation.value("average_precision", "random order")
    assert evaluation.value("calibration_error", CANDIDATE) < 0.08
    assert set(trained.folds["skipped"]) == {""}
    assert trained.folds["test_rows"].sum() == len(trained.scored) == evaluation.rows


def test_training_twice_gives_the_same_card_and_scores(market, specs, until, few_trees):
    settings = ModelSettings(folds=2, seed=3)
    first, again = (train(market, specs, until=until, settings=settings, capacity=4) for _ in range(2))
    assert json.dumps(again.card, sort_keys=True) == json.dumps(first.card, sort_keys=True)
    pd.testing.assert_frame_equal(again.scored, first.scored)


@pytest.mark.parametrize(("frauds", "legits"), [(0, 100), (19, 100), (100, 0), (0, 0)])
def test_too_few_labels_say_what_is_there_and_what_is_needed(market, specs, until, frauds, legits):
    kept = pd.concat([market[market["y"] == 1].head(frauds), market[market["y"] == 0].head(legits)])
    few = kept.sort_values("as_of", ignore_index=True)
    with pytest.raises(NotEnoughLabels, match=f"found {frauds} fraud and {legits} legit, needed at least 20") as caught:
        train(few, specs, until=until, settings=ModelSettings(), capacity=4)
    assert isinstance(caught.value, CallerError)


def test_labels_that_all_come_at_once_cannot_be_judged_in_time(market, specs, until):
    late = market.assign(known_at=market["known_at"].where(market["known_at"].isna(), pd.Timestamp(until)))
    with pytest.raises(NotEnoughLabels, match="before the last test period"):
        train(late, specs, until=until, settings=ModelSettings(), capacity=4)


def test_a_fold_without_enough_frauds_is_skipped_and_says_so(market, specs, until, few_trees):
    first_half = market["as_of"] < market["as_of"].quantile(0.5)
    rare = market[~((market["y"] == 1) & first_half & (market.index % 10 != 0))].reset_index(drop=True)
    found = train(rare, specs, until=until, settings=ModelSettings(folds=5), capacity=4)
    assert "Not enough labels" in found.folds["skipped"].iloc[0]
    assert found.folds["skipped"].iloc[-1] == ""
    assert found.evaluation.rows == found.folds.loc[found.folds["skipped"] == "", "test_rows"].sum()


def test_the_card_survives_json_and_reads_as_text(trained):
    card = json.loads(json.dumps(trained.card, allow_nan=False))
    text = card_markdown(card, "hgb-1")
    assert f"{card['data']['fraud']:,} fraud and {card['data']['legit']:,} legit" in text
    assert card["spec_fingerprint"] in text
    assert "| candidate | average precision | 0." in text


def judged_rows(rows: int, seed: int) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    y = (generator.random(rows) < 0.2).astype(float)
    as_of = pd.Series(pd.Timestamp("2026-03-01", tz="UTC") + pd.to_timedelta(np.arange(rows) % 20, unit="D"))
    good = np.clip(0.2 + 0.4 * y + generator.normal(0, 0.2, rows), 0, 1)
    poor = np.clip(0.2 + 0.1 * y + generator.normal(0, 0.2, rows), 0, 1)
    return pd.DataFrame({"y": y, "as_of": as_of, "seller_key": np.arange(rows), "good": good, "poor": poor})


@pytest.mark.parametrize(("candidate", "champion", "promoted"), [("good", "poor", True), ("poor", "good", False)])
def test_only_a_better_candidate_is_promoted(candidate, champion, promoted):
    rows = judged_rows(600, seed=1).rename(columns={candidate: "score", champion: "champion"})
    decision = compare(rows, champion_id="hgb-old", capacity=5, seed=0)
    assert decision.promote is promoted
    assert decision.why.startswith("Promoted" if promoted else "Not promoted")
    assert "hgb-old" in decision.why


def test_an_equal_candidate_stays_a_candidate():
    rows = judged_rows(600, seed=1).assign(score=lambda frame: frame["good"], champion=lambda frame: frame["good"])
    assert not compare(rows, champion_id="hgb-old", capacity=5, seed=0).promote


def test_the_rule_is_replaced_by_a_model_that_beats_it(trained, market, specs):
    decision = decide(trained, market, rule_for(specs), capacity=4, seed=0)
    assert decision.promote
    assert decision.rows == trained.evaluation.decided


def test_a_champion_is_judged_only_on_what_came_after_it(trained, market):
    champion = replace(trained.model("hgb-old"), trained_until=trained.until - timedelta(days=40))
    decision = decide(trained, market, champion, capacity=4, seed=0)
    newer = trained.scored["as_of"] > pd.Timestamp(champion.trained_until)
    assert decision.rows == int(trained.scored.loc[newer, "y"].notna().sum())
    nothing_new = decide(trained, market, trained.model("hgb-old"), capacity=4, seed=0)
    assert not nothing_new.promote
    assert "0 fraud and 0 legit decisions are new to both hgb-old" in nothing_new.why
    assert math.isnan(nothing_new.agreement)


def test_slices_periods_and_bins_add_up():
    rows = judged_rows(400, seed=2).assign(category=lambda frame: np.where(frame.index % 3 == 0, "cars", "shoes"))
    found = evaluate(rows.rename(columns={"good": "score"}), capacity=5, scorer="m", slices=("category",))
    assert found.slices["rows"].sum() == found.calibration["rows"].sum() == found.decided == 400
    assert found.slices["group"].tolist() == ["shoes", "cars"]
    assert found.periods["period"].unique().tolist() == ["2026-03"]
    best = found.capacities.set_index("capacity")
    assert best["recall"].is_monotonic_increasing


@pytest.mark.parametrize("y", [0.0, 1.0, math.nan])
def test_an_evaluation_of_one_class_reports_instead_of_failing(y):
    rows = judged_rows(30, seed=3).assign(y=y).rename(columns={"good": "score"})
    found = evaluate(rows, capacity=5, scorer="m", baselines=("poor",))
    assert math.isnan(found.value("average_precision", "m"))
    page = report_html(found, {}, model_id=RULE_ID)
    assert "Where a figure is missing" in page


def test_the_report_stands_alone_and_escapes_what_strangers_wrote(trained):
    evil = '<script>alert("x")</script>'
    case = MisjudgedListing(
        evil, evil, (evil,), (PhotoPair(b"\xff\xd8one", b"\xff\xd8two", evil), PhotoPair(b"\xff\xd8three"))
    )
    page = report_html(trained.evaluation, trained.card, model_id="hgb-1", misses=[case], false_alarms=[case])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 2 * 4
    assert page.count("data:image/jpeg;base64,") == 2 * 3
    assert page.count("<b>Left:</b>") == 2
    assert page.count("data:image/svg+xml;base64,") == 4
    assert "http" not in page.replace("http-equiv", "")
    assert page == report_html(trained.evaluation, trained.card, model_id="hgb-1", misses=[case], false_alarms=[case])


@pytest.mark.parametrize(("decided", "text"), [(30, "stands for all others"), (0, "nobody knows how many frauds")])
def test_the_report_says_what_a_random_sample_tells_of_the_rest(decided, text):
    rows = judged_rows(30, seed=3).rename(columns={"good": "score"})
    share = Share(value=0.01 if decided else math.nan, low=0.0, high=0.02, decided=decided)
    audit = RandomSampleEstimate(precision=share, fraud_in_rest=share, recall=share, top=50, rest=950, drawn=40)
    page = report_html(evaluate(rows, capacity=5, scorer="m", baselines=("poor",)), {}, model_id="m", audit=audit)
    assert "What nobody looked at" in page
    assert text in page
    assert "950 listings" in page


def told(rows: pd.DataFrame, capacity: int = 5) -> str:
    named = rows.rename(columns={"poor": "score", "good": RULE_ID})
    return " ".join(advice(evaluate(named, capacity=capacity, scorer="m", baselines=(RULE_ID,)), "m"))


def test_advice_follows_from_the_figures():
    rows = judged_rows(600, seed=1)
    assert "The rule orders these listings better" in told(rows)
    assert "Looking at 10 listings a day in place of 5 would find" in told(rows)
    assert "No day had more than 100 listings" in told(rows, capacity=100)
    assert "known frauds stand behind" not in told(rows)
    undecided = rows.assign(y=rows["y"].where(rows.index % 10 == 0))
    assert "known frauds stand behind" in told(undecided)
    assert "Only 10% of the listings were decided on" in told(undecided)
    assert "Scores are off by" in told(rows.assign(poor=rows["poor"] / 2 + 0.5))


def test_without_any_decision_there_is_still_advice():
    rows = judged_rows(30, seed=3).assign(y=math.nan).rename(columns={"good": "score"})
    assert len(advice(evaluate(rows, capacity=5, scorer="m"), "m")) >= 2
