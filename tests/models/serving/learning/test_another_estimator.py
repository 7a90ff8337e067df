"""Training with another estimator: kept and promoted if its file is safe to load, judged and told about if not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from data.catalog.scores.scores import history
from data.errors import SettingsError
from data.settings import load_settings
from models.estimator.calibrated_classifier import fit_on
from models.estimator.custom import custom_estimator
from models.estimator.rule import rule_for
from models.serving.context import Context, open_context
from models.serving.learning import train_model
from models.serving.learning.kept_models import described_model
from models.serving.learning.train_model import Gathered, Promote, train_candidate
from tests.data.catalog.rows import moment

FOREST, TREES = (f"tests.models.estimator.factories:{name}" for name in ("forest", "trees"))


@pytest.fixture
def context_for(tmp_path, monkeypatch, market, specs, another_trained):
    """Homes whose settings name an estimator, trained already on the small seeded market."""
    monkeypatch.setattr(train_model, "SPECS", specs)
    monkeypatch.setattr(train_model, "rival_of", lambda _context: (rule_for(specs), ""))
    monkeypatch.setattr(train_model, "gather", lambda *_, **__: Gathered(market, None))

    def opened(estimator: str) -> Context:
        monkeypatch.setenv("SEENBEFORE_MODEL__ESTIMATOR", estimator)
        decided = market[market["y"].notna()]
        fitted = fit_on(custom_estimator(estimator, seed=3), decided, specs)
        made = another_trained if estimator == TREES else replace(another_trained, estimator=fitted)
        monkeypatch.setattr(train_model, "train", lambda *_, **__: made)
        return open_context(load_settings(tmp_path / "home"))

    return opened


def trained(context: Context, until, promote: Promote):
    return train_candidate(context, until=until, promote=promote, now=moment(0))


def test_one_that_is_safe_to_load_is_kept_and_can_be_promoted(context_for, until):
    context = context_for(TREES)
    summary = trained(context, until, Promote.ALWAYS)
    assert summary["in_use"] == summary["model_id"] == context.registry.list()[0]
    assert "average precision, line and trees" in summary
    text, card = described_model(context, summary["model_id"])
    assert f"made by {TREES}" in text
    assert card["settings"]["estimator"] == TREES


def test_one_that_is_not_is_judged_and_neither_kept_nor_promoted_even_if_that_is_asked_for(context_for, until):
    context = context_for(FOREST)
    summary = trained(context, until, Promote.ALWAYS)
    assert (summary["model_id"], summary["in_use"]) == (None, "rule-1")
    assert summary["why"].startswith("Neither kept nor promoted: its file would hold types that nobody has found safe")
    assert "sklearn.tree._tree.Tree" in summary["why"]
    assert "average precision, candidate" in summary
    assert context.registry.list() == []
    with context.catalog.read() as connection:
        assert history(connection).empty


def test_a_wrong_name_shows_before_anything_is_described(context_for, until, monkeypatch):
    context = context_for(TREES)
    model = context.settings.model.model_copy(update={"estimator": "nowhere:forest"})
    context = replace(context, settings=context.settings.model_copy(update={"model": model}))
    monkeypatch.setattr(train_model, "gather", lambda *_, **__: pytest.fail("described listings for nothing"))
    with pytest.raises(SettingsError, match="SEENBEFORE_MODEL__ESTIMATOR=nowhere:forest: it cannot be imported"):
        trained(context, until, Promote.AUTO)
