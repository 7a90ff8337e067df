"""Which form of the estimator becomes the candidate, and what the other policy for undecided listings would give."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.dataset.training_rows import POLICIES
from models.estimator.ensemble import LINE_ALONE, PAIR, TREES_ALONE
from models.training.promotion import Decision, compare

if TYPE_CHECKING:
    import pandas as pd

    from data.settings import Undecided

FORMS = (PAIR, LINE_ALONE, TREES_ALONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A form of the estimator and a policy for undecided listings, each with a sentence that says why.

    Parameters
    ----------
    form
        One of `FORMS`.
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


def choose(judged: pd.DataFrame, *, undecided: Undecided, capacity: int, seed: int) -> Choice:
    """Take the pair unless one of its halves alone is clearly better: on average precision, and no worse in the queue.

    Parameters
    ----------
    judged
        ``y, as_of, seller_key``, a column of scores for each of `FORMS`, and one for the policy that is not in use,
        named as in `models.dataset.training_rows.POLICIES`.
    undecided
        The policy in use.
    capacity
        Listings that analysts judge in a day.
    seed
        Of the paired bootstrap by seller.
    """
    halves = {form: _against(judged, form, PAIR, capacity=capacity, seed=seed) for form in (LINE_ALONE, TREES_ALONE)}
    closest = max(halves, key=lambda form: (halves[form].promote, halves[form].candidate_average_precision))
    form = closest if halves[closest].promote else PAIR
    other = other_policy(undecided)
    policy = _against(judged, POLICIES[other], PAIR, capacity=capacity, seed=seed)
    return Choice(
        form=form,
        form_why=f"{form} is used; {_figures(halves[closest], closest, PAIR)}",
        undecided=undecided,
        undecided_why=_about_policy(policy, undecided),
    )


def other_policy(undecided: Undecided) -> Undecided:
    """Return the policy for undecided listings that is not the given one."""
    return next(policy for policy in POLICIES if policy != undecided)


def _against(judged: pd.DataFrame, column: str, champion: str, *, capacity: int, seed: int) -> Decision:
    pair = judged.assign(score=judged[column], champion=judged[champion])
    return compare(pair, champion_id=champion, capacity=capacity, seed=seed)


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
