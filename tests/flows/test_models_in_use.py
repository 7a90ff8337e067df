"""Which model scores: the rule first, then what was promoted, and the way back to either."""

from __future__ import annotations

import pytest

from data.catalog.champions import PROMOTED, record_model
from data.errors import ModelError
from data.settings import load_settings
from features.frame import SPECS
from flows.steps import registry
from flows.steps.registry import promote, roll_back_champion
from models.rule import RULE_ID, rule_for
from models.serving.context import open_context
from models.serving.scoring import scorer_in_use
from tests.data.rows import moment


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
