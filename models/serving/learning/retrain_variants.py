"""A kept model's recipe tried again on what it learned from: without blocks of features, and divided at random."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from data.progress import advance
from data.settings import ModelSettings
from features.point_in_time.feature_frame import SPECS
from models.dataset.splits import prequential_folds
from models.serving.learning.train_model import gather
from models.training.ablation import block_ablation
from models.training.optimism import OURS, RANDOM_SPLIT, optimism
from models.training.out_of_fold import VariantTables, divisions_of, out_of_fold, random_divisions

if TYPE_CHECKING:
    import pandas as pd

    from models.estimator.scorer import Scorer
    from models.serving.context import Context


def retrain_variants(context: Context, scorer: Scorer, came: pd.DataFrame) -> VariantTables:
    """Train a model's recipe again, and return what each block of features is worth and how much splits flatter.

    Parameters
    ----------
    scorer
        A kept model; of the rule, which learned nothing, there is nothing to try.
    came
        Decided listings of after it was trained, scored by it: ``y, seller_key, score``.
    """
    if scorer.trained_until is None:
        return VariantTables()
    card = context.registry.card(scorer.model_id)
    settings, form = ModelSettings.model_validate(card["settings"]), card["choice"]["form"]
    rows = context.settings.batch_rows
    examples = gather(context, since=None, until=scorer.trained_until, rows=rows).examples
    folds = prequential_folds(examples, folds=settings.folds, delay=timedelta(days=settings.delay_days))
    ours = divisions_of(folds)
    by_lot = random_divisions(examples, parts=settings.folds, seed=settings.seed)
    advance("training on folds again", 0)
    everything = out_of_fold(examples, ours, SPECS, seed=settings.seed, form=form)
    advance("training on random splits", 0)
    flattered = out_of_fold(examples, by_lot, SPECS, seed=settings.seed, form=form)
    ablation = block_ablation(
        examples,
        ours,
        SPECS,
        everything=everything,
        seed=settings.seed,
        form=form,
        on_step=lambda _done, total: advance("training without a block", 1, total),
    )
    promised = {OURS: everything, RANDOM_SPLIT: flattered}
    return VariantTables(ablation=ablation, optimism=optimism(promised, came, seed=settings.seed))
