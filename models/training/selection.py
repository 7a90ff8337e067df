"""Which form of the estimator becomes the candidate, and what the other policy for undecided listings would give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from models.dataset.training_rows import POLICIES
from models.estimator.ensemble import BOOSTING_ALONE, ENSEMBLE, LINEAR_ALONE
from models.training.promotion import Decision, compare

if TYPE_CHECKING:
    import pandas as pd

    from data.settings import Undecided


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A form of the estimator and a policy for undecided listings, each with a sentence that says why.

    Parameters
    ----------
    form
        One of `models.estimator.ensemble.FORMS`, or the factory of another estimator.
    form_why
        The closest comparison, in figures.
    undecided
        The policy that the settings ask for.
    undecided_why
        What the other policy gave on the same folds, and whether it is better.
    """

    form: str
    form_why: str
    undecided: Undecided
    undecided_why: str


def choose(scored: pd.DataFrame, *, undecided: Undecided, capacity: int, seed: int, custom: str = "") -> Choice:
    """Take the ensemble unless one of its members alone is clearly better.

    Better is a higher average precision, and no worse a precision in the daily queue.

    Parameters
    ----------
    scored
        ``y, as_of, seller_key``, a column of scores for each of `models.estimator.ensemble.FORMS`, and one for the
        policy that is not in use, named as in `models.dataset.training_rows.POLICIES`.
    undecided
        The policy in use.
    capacity
        Listings that analysts judge in a day.
    seed
        Of the paired bootstrap by seller.
    custom
        Column of an estimator that was asked for by name, and is taken whatever came of ours.
    """
    own = _choose_form(scored, undecided=undecided, capacity=capacity, seed=seed)
    if not custom:
        return own
    against = _against(scored, custom, own.form, capacity=capacity, seed=seed)
    return replace(own, form=custom, form_why=f"{custom} was asked for; {_figures(against, custom, own.form)}")


def _choose_form(scored: pd.DataFrame, *, undecided: Undecided, capacity: int, seed: int) -> Choice:
    alone = {
        form: _against(scored, form, ENSEMBLE, capacity=capacity, seed=seed) for form in (LINEAR_ALONE, BOOSTING_ALONE)
    }
    closest = max(alone, key=lambda form: (alone[form].promote, alone[form].candidate_average_precision))
    form = closest if alone[closest].promote else ENSEMBLE
    other = other_policy(undecided)
    policy = _against(scored, POLICIES[other], ENSEMBLE, capacity=capacity, seed=seed)
    return Choice(
        form=form,
        form_why=f"{form} is used; {_figures(alone[closest], closest, ENSEMBLE)}",
        undecided=undecided,
        undecided_why=_about_policy(policy, undecided),
    )


def other_policy(undecided: Undecided) -> Undecided:
    """Return the policy for undecided listings that is not the given one."""
    return next(policy for policy in POLICIES if policy != undecided)


def _against(scored: pd.DataFrame, column: str, champion: str, *, capacity: int, seed: int) -> Decision:
    both = scored.assign(score=scored[column], champion=scored[champion])
    return compare(both, champion_id=champion, capacity=capacity, seed=seed)


def _figures(decision: Decision, name: str, champion: str) -> str:
    return (
        f"average precision of {name} {decision.candidate_average_precision:.3f} against "
        f"{decision.champion_average_precision:.3f} of {champion}, higher in {decision.agreement:.0%} of the resamples."
    )


def _about_policy(decision: Decision, undecided: Undecided) -> str:
    other = other_policy(undecided)
    verdict = (
        f"Better: set `model.undecided` to `{other}`"
        if decision.promote
        else f"No clear gain: `model.undecided` stays `{undecided}`"
    )
    return f"{verdict}; {_figures(decision, POLICIES[other], POLICIES[undecided])}"
