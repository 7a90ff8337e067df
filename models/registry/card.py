"""The model card: what a model was made from, how good it is, what it is for and where it must not be trusted."""

from __future__ import annotations

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from features.spec import fingerprint
from models.dataset.training_rows import MAX_WEIGHT, selection_weights
from models.estimator.ensemble import SignBoundedEnsemble
from models.evaluation.evaluation import CANDIDATE, evaluation_record

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pandas as pd

    from data.settings import ModelSettings
    from features.spec import FeatureSpec
    from models.estimator.calibrated_classifier import CalibratedClassifier
    from models.estimator.scorer import Bands
    from models.evaluation.evaluation import Evaluation
    from models.training.selection import Choice

LIBRARIES = ("scikit-learn", "skops", "numpy", "scipy", "pandas")
INTENDED_USE = (
    "Order listings of a marketplace for human review by how likely their photos were taken from another seller's "
    "listing to deceive. A score is a reason to look, never a verdict."
)
LIMITS = (
    "What reviewers never looked at is judged by analogy, but for listings drawn at random where there are any.",
    "The first seller observed with a photo counts as its owner; a crawl that meets the thief first is misled "
    "until the owner is observed.",
    "Figures hold for the market and the time of the data window; a new kind of theft shows in them only after it "
    "was labelled.",
    "Bands follow the daily capacity and the volume of the test periods; with another volume they must be set anew.",
)


def make_card(
    examples: pd.DataFrame,
    specs: Sequence[FeatureSpec],
    *,
    until: datetime,
    settings: ModelSettings,
    folds: pd.DataFrame,
    evaluation: Evaluation,
    estimator: CalibratedClassifier,
    bands: Bands,
    choice: Choice,
) -> dict[str, Any]:
    """Gather the card as plain values that JSON can hold; it names no clock but ``until``.

    Parameters
    ----------
    examples
        All rows, decided or not; with a ``source`` column, labels are counted by it.
    specs, until, settings
        What training was called with.
    folds
        One row a fold, as in `models.training.candidate.Candidate`.
    evaluation, estimator, bands, choice
        What training found.
    """
    decided = examples[examples["y"].notna()]
    return {
        "intended_use": INTENDED_USE,
        "limits": list(LIMITS),
        "data": _data_record(examples, decided, until),
        "choice": asdict(choice),
        "selection": _selection(decided),
        "features": [spec.name for spec in specs],
        "spec_fingerprint": fingerprint(specs),
        "libraries": {name: version(name) for name in LIBRARIES} | {"python": platform.python_version()},
        # Cards of our own estimator stay as they were before there could be another.
        "settings": settings.model_dump(exclude=None if settings.estimator else {"estimator"}),
        "estimator": _estimator_record(estimator, settings.estimator),
        "calibration": asdict(estimator.calibration_),
        "bands": asdict(bands),
        "folds": folds.to_dict(orient="records"),
        "evaluation": evaluation_record(evaluation),
    }


def _data_record(examples: pd.DataFrame, decided: pd.DataFrame, until: datetime) -> dict[str, Any]:
    return {
        "first_moment": examples["as_of"].min().isoformat(),
        "last_moment": examples["as_of"].max().isoformat(),
        "trained_until": until.isoformat(),
        "moments": len(examples),
        "sellers": int(examples["seller_key"].nunique()),
        "fraud": int((decided["y"] == 1).sum()),
        "legit": int((decided["y"] == 0).sum()),
        "labels_by_source": _counts_by_source(decided),
    }


def _estimator_record(estimator: CalibratedClassifier, factory: str) -> dict[str, Any]:
    if not isinstance(estimator, SignBoundedEnsemble):
        return {"factory": factory, **estimator.record(), "fit_rows": estimator.fit_rows_}
    return {
        "share_of_line": estimator.shares_[0],
        "share_of_trees": estimator.shares_[1],
        "trees": estimator.boosting_.n_iter_,
        "fit_rows": estimator.fit_rows_,
        "trust_in_rule": estimator.linear_.prior_weight,
        "ridge": estimator.ridge_,
        **asdict(estimator.shape_),
    }


def _counts_by_source(decided: pd.DataFrame) -> dict[str, int]:
    if "source" not in decided:
        return {}
    counts = decided["source"].fillna("(not named)").value_counts().sort_index()
    return {str(source): int(count) for source, count in counts.items()}


def _selection(decided: pd.DataFrame) -> dict[str, Any]:
    """Tell how many decided rows were drawn at random, and for how many listings they stand."""
    weights = selection_weights(decided)
    return {
        "drawn": int((weights > 1).sum()),
        "stand_for": float(weights[weights > 1].sum()),
        "most_for_one": MAX_WEIGHT,
    }


def selection_sentence(card: dict[str, Any]) -> str:
    """Say what was done about listings being decided on because they scored high."""
    found = card["selection"]
    if not found["drawn"]:
        return (
            "No decided listing was drawn at random, so nothing corrects for reviewers having chosen by score: "
            "probabilities hold for listings like those that get a decision."
        )
    return (
        f"{found['drawn']:,} decided listings were drawn at random and stand for {found['stand_for']:,.0f}, at most "
        f"{found['most_for_one']:.0f} each; the others were chosen, and stand for themselves."
    )


def headline(card: dict[str, Any]) -> float:
    """Return the model's average precision on its folds, NaN where it has none."""
    rows = card["evaluation"]["overall"]
    found = [row["value"] for row in rows if row["scorer"] == CANDIDATE and row["name"] == "average_precision"]
    return float("nan") if not found or found[0] is None else float(found[0])


def card_figures(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the candidate's figures on its folds: ``name, value, low, high`` each, ``None`` where there is none."""
    rows = card["evaluation"]["overall"]
    return [
        {name: row[name] for name in ("name", "value", "low", "high")} for row in rows if row["scorer"] == CANDIDATE
    ]


def estimator_sentence(card: dict[str, Any]) -> str:
    """Say what the estimator is made of."""
    made = card["estimator"]
    if "factory" in made:
        imputed = ", with medians and flags for what is missing" if made["imputed"] else ", which takes missing values"
        weighted = "" if made["weighted"] else " It takes no weights: every listing counts as one."
        return (
            f"{made['class']}, made by {made['factory']}{imputed}, fitted on {made['fit_rows']:,} listings.{weighted}"
        )
    return (
        f"A line and {made['trees']:,} trees fitted on {made['fit_rows']:,} listings; log-odds = "
        f"{made['share_of_line']:.2f} · line + {made['share_of_trees']:.2f} · trees, as held out decisions weigh them; "
        f"the line counts the rule's log-odds {made['trust_in_rule']:.2f} times."
    )


def card_markdown(card: dict[str, Any], model_id: str) -> str:
    """Write the card for people to read."""
    data, evaluation = card["data"], card["evaluation"]
    lines = [
        f"# Model {model_id}",
        "",
        card["intended_use"],
        "",
        f"- Learned from {data['moments']:,} moments of {data['sellers']:,} sellers, {data['first_moment']} to "
        f"{data['last_moment']}; {data['fraud']:,} fraud and {data['legit']:,} legit decisions known by "
        f"{data['trained_until']}.",
        *(f"- Labels from {source}: {count:,}." for source, count in data["labels_by_source"].items()),
        f"- {len(card['features'])} features, fingerprint `{card['spec_fingerprint']}`.",
        f"- {estimator_sentence(card)}",
        f"- {card['choice']['form_why']}",
        f"- Listings nobody decided on: {card['choice']['undecided_why']}",
        f"- {selection_sentence(card)}",
        f"- Calibrated by {card['calibration']['method']} on {card['calibration']['rows']:,} decisions, each held out "
        "from the fit that scored it.",
        f"- Band high from {card['bands']['high']:.3f}, medium from {card['bands']['medium']:.3f}.",
        "- Libraries: " + ", ".join(f"{name} {number}" for name, number in card["libraries"].items()) + ".",
        "",
        f"## How good, on {evaluation['decided']:,} decided listings of later periods",
        "",
        "| scorer | figure | value | 90 % interval |",
        "|---|---|---|---|",
        *(_figure_line(row) for row in evaluation["overall"]),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in card["limits"]),
        "",
    ]
    return "\n".join(lines)


def _figure_line(row: dict[str, Any]) -> str:
    figure = str(row["name"]).replace("_", " ")
    if row["value"] is None:
        return f"| {row['scorer']} | {figure} | none: {row['reason']} | |"
    span = f"{row['low']:.3f} to {row['high']:.3f}" if row["low"] is not None else ""
    return f"| {row['scorer']} | {figure} | {row['value']:.3f} | {span} |"
