"""Which model scores: the rule first, then what was promoted, and the way back to either."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.catalog.scores.scores import KEPT, PROMOTED, record_model
from data.errors import ModelError
from data.settings import load_settings
from features.point_in_time.feature_frame import SPECS
from models.estimator.rule import RULE_ID, rule_for
from models.serving.context import open_context
from models.serving.learning import kept_models as registry
from models.serving.learning import train_model
from models.serving.learning.kept_models import described_model, kept_models, promote, roll_back_champion
from models.serving.scoring.score_listings import scorer_in_use
from tests.data.catalog.rows import moment


@pytest.fixture
def context(tmp_path):
    return open_context(load_settings(tmp_path / "home"))


def test_before_the_first_model_there_is_nothing_to_go_back_to(context):
    assert scorer_in_use(context).model_id == RULE_ID
    with pytest.raises(ModelError, match="no model was before it"):
        roll_back_champion(context, "too many alarms", moment(1))


def test_from_the_first_model_one_gets_back_to_the_rule_and_again_to_the_model(context, monkeypatch):
    with context.catalog.write() as connection:
        record_model(connection, "hgb-1", PROMOTED, "better", moment(1))
    back = roll_back_champion(context, "too many alarms", moment(2))
    assert (back["model_id"], back["before"]) == (RULE_ID, "hgb-1")
    assert scorer_in_use(context).model_id == RULE_ID
    monkeypatch.setattr(registry, "scorer_named", lambda _context, _model_id: rule_for(SPECS))
    assert roll_back_champion(context, "it was the crawl", moment(3))["model_id"] == "hgb-1"


def test_the_rule_can_be_promoted_by_its_name_and_a_model_that_is_not_kept_cannot(context):
    assert promote(context, RULE_ID, "while we relabel", moment(1))["before"] == RULE_ID
    assert scorer_in_use(context).model_id == RULE_ID
    with pytest.raises(ModelError, match="there is no such model"):
        promote(context, "hgb-0", "by mistake", moment(2))


class OneModel:
    """A registry that keeps one model."""

    def list(self):
        return ["hgb-1"]

    def card(self, _model_id):
        return {"data": {"trained_until": "2026-01-02"}, "evaluation": {"overall": []}}


def test_a_model_in_use_is_listed_as_promoted_even_when_it_was_trained_once_more(context):
    opened = replace(context, registry=OneModel())
    with context.catalog.write() as connection:
        record_model(connection, "hgb-1", PROMOTED, "it found more", moment(1))
        record_model(connection, "hgb-1", KEPT, "no better than itself", moment(2))
    row = kept_models(opened).iloc[0]
    assert (row["in_use"], row["last_event"], row["reason"]) == (True, "promoted", "it found more")


def test_a_candidate_that_was_not_promoted_says_why(context):
    opened = replace(context, registry=OneModel())
    with context.catalog.write() as connection:
        record_model(connection, "hgb-1", KEPT, "Not promoted: average precision 0.5 against 0.6", moment(1))
    row = kept_models(opened).iloc[0]
    assert not row["in_use"]
    assert (row["last_event"], row["reason"][:12]) == ("kept", "Not promoted")


def test_the_rule_is_explained_where_models_show_their_card(context):
    text, values = described_model(context, RULE_ID)
    assert text.startswith(f"# Model {RULE_ID}")
    assert "log-odds = -4" in text
    assert values["rule"] in text
    with pytest.raises(ModelError, match="there is no such model"):
        described_model(context, "hgb-0")


def test_a_model_in_use_that_cannot_be_used_keeps_no_new_one_from_being_compared(context):
    with context.catalog.write() as connection:
        record_model(connection, "hgb-of-other-features", PROMOTED, "better then", moment(1))
    rival, instead = train_model.rival_of(context)
    assert rival.model_id == RULE_ID
    assert "hgb-of-other-features" in instead
