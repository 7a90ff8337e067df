"""However few labels there are, a candidate orders listings about as well as the rule that it starts from."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from models.dataset.training_rows import LEFT_OUT, POLICIES, WEAKLY_LEGIT
from models.estimator.calibrated_classifier import fit_on
from models.estimator.ensemble import ENSEMBLE, FORMS, ensemble_for
from models.estimator.rule import RULE_ID, rule_for
from models.training.selection import choose, other_policy
from tests.full_run import often

DRAWS = often(in_full=6, otherwise=2)


@pytest.mark.parametrize(("labels", "worst_loss"), [(120, 0.06), (300, 0.03), (900, 0.0)])
def test_a_candidate_is_no_worse_than_the_rule(make_market, specs, labels, worst_loss):
    gains = []
    names = [spec.name for spec in specs]
    later = make_market(4_000, 999)
    later = later[later["y"].notna()]
    x, y = later[names].to_numpy(), later["y"].to_numpy()
    rule = rule_for(specs)
    by_rule = average_precision_score(y, rule.margins(x))
    for seed in range(DRAWS):
        few = make_market(2_500, seed)
        few = few[few["y"].notna()].head(labels).reset_index(drop=True)
        gains.append(average_precision_score(y, fit_on(ensemble_for(specs, seed=0), few, specs).margins(x)) - by_rule)
    assert min(gains) >= -worst_loss
    assert np.mean(gains) > 0


def test_the_ensemble_is_used_unless_a_member_alone_is_clearly_better(trained):
    scored = trained.scored
    assert trained.card["choice"]["form"] in FORMS
    blind = scored.assign(**{ENSEMBLE: 0.5})
    found = choose(blind, undecided=LEFT_OUT, capacity=4, seed=0)
    assert found.form != ENSEMBLE
    assert f"against {scored['y'].mean():.3f} of {ENSEMBLE}" in found.form_why
    perfect = scored.assign(**{ENSEMBLE: scored["y"].fillna(0.0)})
    kept = choose(perfect, undecided=LEFT_OUT, capacity=4, seed=0)
    assert kept.form == ENSEMBLE
    assert kept.undecided_why.startswith("No clear gain")


def test_a_better_policy_for_undecided_listings_is_named(trained):
    scored = trained.scored.assign(**{POLICIES[WEAKLY_LEGIT]: trained.scored["y"].fillna(0.0)})
    found = choose(scored, undecided=LEFT_OUT, capacity=4, seed=0)
    assert found.undecided_why.startswith("Better: set `model.undecided` to `weakly_legit`")
    assert other_policy(WEAKLY_LEGIT) == LEFT_OUT


def test_every_form_and_policy_is_judged_on_the_same_rows_and_shown_on_the_card(trained):
    shown = {row["scorer"] for row in trained.card["evaluation"]["overall"]}
    tried = {*FORMS, POLICIES[WEAKLY_LEGIT], RULE_ID} - {trained.card["choice"]["form"]}
    assert tried <= shown
    assert trained.scored[[*FORMS, POLICIES[WEAKLY_LEGIT]]].notna().all(axis=None)
    np.testing.assert_array_equal(trained.scored["score"], trained.scored[trained.card["choice"]["form"]])
