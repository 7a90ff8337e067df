"""The recipe tried again: blocks left out, random splits, and what they promise beside what comes."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from models.dataset.splits import prequential_folds
from models.evaluation.evaluation import evaluate
from models.evaluation.metrics import average_precision
from models.reports.advice import advice
from models.reports.evaluation_report import report_html
from models.training.ablation import ABLATION_COLUMNS, EVERYTHING, block_ablation
from models.training.optimism import CAME, OURS, RANDOM_SPLIT, optimism
from models.training.out_of_fold import VariantTables, divisions_of, out_of_fold, random_divisions


@pytest.fixture(scope="module")
def divisions(market):
    return divisions_of(prequential_folds(market, folds=2, delay=timedelta(days=7)))


@pytest.fixture(scope="module")
def everything(market, divisions, specs, few_trees):
    return out_of_fold(market, divisions, specs, seed=3)


@pytest.fixture(scope="module")
def ablation(market, divisions, specs, everything, few_trees):
    return block_ablation(market, divisions, specs, everything=everything, seed=3)


def test_every_decided_test_row_is_scored_once(market, divisions, everything):
    tested = np.concatenate([test for _, test in divisions])
    decided = tested[market["y"].notna().to_numpy()[tested]]
    assert sorted(everything.index) == sorted(decided)
    assert everything["score"].between(0, 1).all()


def test_a_division_with_too_little_to_learn_from_is_passed_over(market, divisions, specs):
    few = (divisions[0][0][:5], divisions[0][1])
    assert out_of_fold(market, [few], specs, seed=3).empty


def test_random_divisions_judge_each_decided_row_once_with_equal_shares_of_frauds(market):
    found = random_divisions(market, parts=4, seed=1)
    decided = np.flatnonzero(market["y"].notna())
    assert sorted(np.concatenate([test for _, test in found])) == decided.tolist()
    shares = [market["y"].iloc[test].mean() for _, test in found]
    assert max(shares) - min(shares) < 0.01
    assert all(not set(train) & set(test) for train, test in found)
    assert random_divisions(market.assign(y=0.0), parts=4, seed=1) == []


def test_without_the_block_that_tells_the_model_is_lost(ablation):
    assert ablation.columns.tolist() == list(ABLATION_COLUMNS)
    assert ablation["without"].tolist() == [EVERYTHING, "reuse", "seller"]
    whole, reuse, seller = ablation.to_dict("records")
    assert whole["change"] == 0
    assert (reuse["features"], seller["features"]) == (4, 1)
    assert reuse["change_high"] < -0.1
    assert reuse["change"] < seller["change"] < 0.1
    assert reuse["average_precision"] == pytest.approx(whole["average_precision"] + reuse["change"])


def judged(rows: int, seed: int, skill: float) -> pd.DataFrame:
    generator = np.random.default_rng(seed)
    y = (generator.random(rows) < 0.2).astype(float)
    return pd.DataFrame({"y": y, "seller_key": np.arange(rows), "score": skill * y + generator.normal(0, 0.3, rows)})


def test_the_gap_is_what_was_promised_less_what_came():
    promised = {OURS: judged(900, 1, 0.5), RANDOM_SPLIT: judged(900, 2, 1.5)}
    came = judged(900, 3, 0.5)
    table = optimism(promised, came, seed=0).set_index("split")
    measured = average_precision(came["y"].to_numpy(), came["score"].to_numpy())(np.ones(900))
    assert table.loc[CAME, "promised"] == pytest.approx(measured)
    assert table.loc[OURS, "gap_low"] < 0 < table.loc[OURS, "gap_high"]
    assert table.loc[RANDOM_SPLIT, "gap_low"] > 0.2
    for split, rows in promised.items():
        value = average_precision(rows["y"].to_numpy(), rows["score"].to_numpy())(np.ones(900))
        assert table.loc[split, "gap"] == pytest.approx(value - measured)


def test_one_class_promises_nothing():
    table = optimism({OURS: judged(50, 1, 1.0)}, judged(50, 2, 1.0).assign(y=0.0), seed=0).set_index("split")
    assert np.isnan(table.loc[CAME, "promised"])
    assert np.isnan(table.loc[OURS, "gap"])


def test_the_report_shows_what_was_tried_and_warns_of_a_promise_not_kept(trained, ablation):
    broken = optimism({OURS: judged(900, 2, 1.5)}, judged(900, 3, 0.5), seed=0)
    page = report_html(
        trained.evaluation, trained.card, model_id="m", tried=VariantTables(ablation=ablation, optimism=broken)
    )
    assert "Did it keep its promise?" in page
    assert "Which evidence carries it" in page
    assert "something has changed since it was trained" in page
    alone = report_html(trained.evaluation, trained.card, model_id="m")
    assert "Did it keep its promise?" not in alone


def test_a_kept_promise_is_no_news():
    kept = optimism({OURS: judged(900, 1, 0.5)}, judged(900, 3, 0.5), seed=0)
    rows = judged(300, 4, 1.0).assign(as_of=pd.Timestamp("2026-03-01", tz="UTC"))
    told = " ".join(advice(evaluate(rows, capacity=5, scorer="m"), "m", kept))
    assert "promised" not in told
