"""Which models are kept, and which one is in use."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pandas as pd

from data.catalog.scores.scores import (
    KEPT,
    PROMOTED,
    ROLLED_BACK,
    champion,
    history,
    previous_champion,
    record_model,
)
from data.errors import ModelError
from models.estimator.rule import RULE_ID, Rule
from models.registry.card import card_markdown, headline
from models.serving.scoring.score_listings import scorer_named

if TYPE_CHECKING:
    from datetime import datetime

    from models.serving.context import Context


def kept_models(context: Context) -> pd.DataFrame:
    """Return ``model_id, in_use, kept_at, trained_until, average_precision, last_event, reason``, newest first."""
    with context.catalog.read() as connection:
        events, in_use = history(connection), champion(connection)
    rows = []
    for model_id in context.registry.list():
        card = context.registry.card(model_id)
        own = events[events["model_id"] == model_id]
        rows.append(
            {
                "model_id": model_id,
                "in_use": model_id == in_use,
                "kept_at": own["happened_at"].min(),
                "trained_until": card["data"]["trained_until"],
                "average_precision": headline(card),
                **_last_of(own),
            }
        )
    columns = ["model_id", "in_use", "kept_at", "trained_until", "average_precision", "last_event", "reason"]
    return pd.DataFrame(rows, columns=columns).sort_values("kept_at", ascending=False, ignore_index=True)


def _last_of(events: pd.DataFrame) -> dict[str, str]:
    """Return what became of a model last; that it was trained once more says less."""
    telling = events[events["action"] != KEPT]
    told = telling if len(telling) else events
    if told.empty:
        return {"last_event": "", "reason": ""}
    return {"last_event": told["action"].iloc[-1], "reason": told["reason"].iloc[-1]}


def described_model(context: Context, model_id: str) -> tuple[str, dict[str, Any]]:
    """Return what there is to say of a model, as Markdown and as plain values; the rule is explained in words.

    Raises
    ------
    ModelError
        There is no such model, or its files were changed.
    """
    if model_id == RULE_ID:
        told = inspect.cleandoc(Rule.__doc__ or "")
        return f"# Model {RULE_ID}\n\n{told}", {"model_id": RULE_ID, "rule": told}
    card = context.registry.card(model_id)
    return card_markdown(card, model_id), card


def promote(context: Context, model_id: str, why: str, now: datetime) -> dict[str, Any]:
    """Put a kept model, or the rule, into use after checking that it loads for this version's features."""
    scorer_named(context, model_id)
    with context.catalog.write() as connection:
        before = champion(connection)
        record_model(connection, model_id, PROMOTED, why, now)
    return {"model_id": model_id, "before": before or RULE_ID, "why": why}


def roll_back_champion(context: Context, why: str, now: datetime) -> dict[str, Any]:
    """Put the model before the present one back into use; before the first one it was the rule.

    Raises
    ------
    ModelError
        No model has been in use yet.
    """
    with context.catalog.write() as connection:
        present, before = champion(connection), previous_champion(connection) or RULE_ID
        if present is None:
            advice = "Promote one of `seenbefore models list`"
            raise ModelError(RULE_ID, "it is in use, and no model was before it", advice)
        scorer_named(context, before)
        record_model(connection, before, ROLLED_BACK, why, now)
    return {"model_id": before, "before": present, "why": why}
