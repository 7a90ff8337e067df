"""The estimator: a linear and a boosting member with known directions, weighed and calibrated on held out rows.

`SignBoundedEnsemble` is a classifier of scikit-learn's kind and knows nothing of listings; `ensemble_for` sets it up
for a list of features and the documented rule, and `fit_forms` fits it on a table of examples.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from models.estimator.boosting import (
    MAX_TREES,
    SHAPES,
    Shape,
    boosting_margins,
    cross_fit_boosting,
    fit_boosting,
)
from models.estimator.calibrated_classifier import CalibratedClassifier, fit_on
from models.estimator.calibration import UNCALIBRATED, Calibration, calibrate
from models.estimator.cross_fit import held_out_rows, ordinary
from models.estimator.linear import RIDGES, cross_fit_linear, fit_linear
from models.estimator.rule import rule_for
from models.estimator.scorer import FAR_BITS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from features.spec import FeatureSpec

MOSTLY_LINEAR = (0.75, 0.25)
CAUTION = 20.0
"""Nats of likelihood for each squared step away from ``MOSTLY_LINEAR``: among a few hundred rows chance alone favours
one member by some ten nats, among thousands the better member wins by more."""
FEW_TREES = 20
"""Where no row can be held out to say how many."""
ENSEMBLE, LINEAR_ALONE, BOOSTING_ALONE = "line and trees", "line alone", "trees alone"
"""The forms that the estimator may take, as cards and tables name them."""
FORMS = (ENSEMBLE, LINEAR_ALONE, BOOSTING_ALONE)


class Prior(Protocol):
    """What is known without a single label."""

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log-odds, shape (rows,)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeldOut:
    """Held out rows scored by members that knew nothing of them.

    ``members`` are log-odds of shape (rows, 2), made with the best ``ridge``, ``shape`` and number of ``trees``.
    """

    members: NDArray[np.float64]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    ridge: float
    shape: Shape
    trees: int


class SignBoundedEnsemble(CalibratedClassifier):
    """A binary classifier that never goes against the known direction of a feature.

    Few labels make the linear member and many the boosting member the better one. Held out rows decide (stacking with
    weights that are not negative: Wolpert 1992, Breiman 1996), choose how strict the one and how large the other is,
    and tell what the weighted log-odds mean. NaN is a missing value.

    Parameters
    ----------
    directions
        Of each feature: +1 if more of it can only speak for the second class, -1 only against it, 0 if unknown;
        None: all unknown.
    limits
        Value of each feature beyond which more of it says nothing to the linear member; None: no limits.
    prior
        Gives log-odds that are known without labels (``margins``), taken by both members as one more feature that can
        only speak for the second class; None: nothing is known.
    form
        One of `FORMS`.
    ridges, shapes, max_trees
        What held out rows choose from.
    too_few
        Where a class is too rare to fit on or to hold some of it out: ``raise`` `data.errors.NotEnoughLabels`, or go on
        without held out rows, with what few labels want (``unweighed``): the strictest ridge, few trees, mostly the
        linear member, uncalibrated.
    random_state
        The same rows and seed give the same predictions to the last bit.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
    linear_ : models.estimator.linear.LinearMember
    boosting_ : sklearn.ensemble.HistGradientBoostingClassifier
    shares_ : tuple of (float, float)
        Weights of the members' log-odds, none negative, so that known directions hold for the sum.
    calibration_ : models.estimator.calibration.Calibration
        From the weighted log-odds to probabilities.
    reference_ : ndarray of shape (n_features_in_,)
        The median over the first class, NaN where most of its rows lack the feature.
    fit_rows_ : int
    ridge_, shape_
        What held out rows chose.
    held_out_ : HeldOut or None
        What the shares and the calibration were learned from.
    """

    def __init__(
        self,
        *,
        directions: Sequence[int] | None = None,
        limits: Sequence[float] | None = None,
        prior: Prior | None = None,
        form: str = ENSEMBLE,
        ridges: Sequence[float] = RIDGES,
        shapes: Sequence[Shape] = SHAPES,
        max_trees: int = MAX_TREES,
        too_few: Literal["raise", "unweighed"] = "raise",
        random_state: int | None = 0,
    ) -> None:
        self.directions = directions
        self.limits = limits
        self.prior = prior
        self.form = form
        self.ridges = ridges
        self.shapes = shapes
        self.max_trees = max_trees
        self.too_few = too_few
        self.random_state = random_state

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw log-odds of the second class, shape (rows,), for float64 rows that are taken as they are."""
        if not len(x):
            return np.empty(0)
        of_linear, of_boosting = self.shares_
        stacked = self._stacked(x)
        return of_linear * self.linear_.margins(stacked) + of_boosting * boosting_margins(self.boosting_, stacked)

    def as_form(self, form: str) -> SignBoundedEnsemble:
        """Return the same fitted members in another form, calibrated on the same held out rows."""
        other = copy(self)
        other.form = form
        other._weigh()
        return other

    def _fit(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        groups: NDArray[np.int64],
        weak: NDArray[np.bool_],
    ) -> None:
        if self.form not in FORMS or self.too_few not in ("raise", "unweighed"):
            message = f"form must be one of {FORMS}, and too_few raise or unweighed: {self.form!r}, {self.too_few!r}"
            raise ValueError(message)
        features = x.shape[1]
        directions = [0] * features if self.directions is None else list(self.directions)
        limits = [np.inf] * features if self.limits is None else list(self.limits)
        stacked = self._stacked(x)
        self.held_out_ = self._cross_fitted(stacked, y, weight, groups, weak, directions, limits)
        found = self.held_out_
        self.ridge_ = max(self.ridges) if found is None else found.ridge
        self.shape_ = self.shapes[-1] if found is None else found.shape
        trees = min(FEW_TREES, self.max_trees) if found is None else found.trees
        self.linear_ = fit_linear(stacked, y, weight, directions=directions, limits=limits, ridge=self.ridge_)
        self.boosting_ = fit_boosting(
            stacked, y, weight, directions=directions, trees=trees, shape=self.shape_, seed=self.random_state
        )
        self.reference_ = ordinary(x[y == 0])
        self.fit_rows_ = len(x)
        self._weigh()

    def _cross_fitted(
        self,
        stacked: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        groups: NDArray[np.int64],
        weak: NDArray[np.bool_],
        directions: Sequence[int],
        limits: Sequence[float],
    ) -> HeldOut | None:
        """Hold out stretches of time, and choose the settings under which the others foretell them best."""
        parts = self._parts(y, groups, weak)
        if not parts:
            return None
        rows = held_out_rows(parts)
        known, counts = y[rows], weight[rows]
        linear = cross_fit_linear(stacked, y, weight, parts, directions=directions, limits=limits, ridges=self.ridges)
        grown = cross_fit_boosting(
            stacked, y, weight, parts,
            directions=directions, trees=self.max_trees, shapes=self.shapes, seed=self.random_state,
        )  # fmt: skip
        ridge = int(np.argmin(_log_loss(linear, known, counts)))
        shape, trees = np.unravel_index(int(np.argmin(_log_loss(grown, known, counts))), grown.shape[:2])
        return HeldOut(
            members=np.stack([linear[ridge], grown[shape, trees]], axis=1),
            y=known,
            weight=counts,
            ridge=self.ridges[ridge],
            shape=self.shapes[int(shape)],
            trees=int(trees) + 1,
        )

    def _weigh(self) -> None:
        """Set the members' shares that the form asks for, and what their sum means."""
        found = self.held_out_
        if self.form == ENSEMBLE:
            self.shares_ = MOSTLY_LINEAR if found is None else _shares(found)
        else:
            self.shares_ = (1.0, 0.0) if self.form == LINEAR_ALONE else (0.0, 1.0)
        self.calibration_: Calibration = (
            UNCALIBRATED if found is None else calibrate(found.members @ self.shares_, found.y, found.weight)
        )

    def _stacked(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return features with the prior's log-odds as one more column."""
        return np.column_stack([x, np.zeros(len(x)) if self.prior is None else self.prior.margins(x)])


def ensemble_for(specs: Sequence[FeatureSpec], *, seed: int) -> SignBoundedEnsemble:
    """Return the unfitted estimator for matrices in the order of ``specs``, with the documented rule as its prior."""
    return SignBoundedEnsemble(
        directions=[spec.direction for spec in specs],
        limits=[FAR_BITS if spec.unit == "bits" else np.inf for spec in specs],
        prior=rule_for(specs),
        random_state=seed,
    )


def fit_forms(rows: pd.DataFrame, specs: Sequence[FeatureSpec], *, seed: int) -> dict[str, SignBoundedEnsemble]:
    """Fit the estimator on examples, and return it in each of `FORMS`.

    Parameters
    ----------
    rows, specs
        As for `models.estimator.calibrated_classifier.fit_on`.
    seed
        The same rows and seed give the same predictions to the last bit.

    Raises
    ------
    NotEnoughLabels
        When a class is too rare to fit on, or to hold some of it out.
    """
    whole = fit_on(ensemble_for(specs, seed=seed), rows, specs)
    return {ENSEMBLE: whole} | {form: whole.as_form(form) for form in (LINEAR_ALONE, BOOSTING_ALONE)}


def _log_loss(margins: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean logistic loss over the last axis."""
    losses = np.logaddexp(0, np.where(y == 1, -margins, margins))
    return np.asarray(losses @ weight / weight.sum())


def _shares(found: HeldOut) -> tuple[float, float]:
    """Weigh the members by the likelihood of held out rows, starting from mostly the linear one."""
    side = np.where(found.y == 1, 1.0, -1.0)
    start = np.array([*MOSTLY_LINEAR, 0.0])

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        towards = side * (found.members @ at[:2] + at[2])
        pull = -side * found.weight * expit(-towards)
        away = at[:2] - MOSTLY_LINEAR
        value = found.weight @ np.logaddexp(0, -towards) + CAUTION * away @ away
        return float(value), np.append(found.members.T @ pull + 2 * CAUTION * away, pull.sum())

    best = minimize(loss, start, jac=True, bounds=[(0, None), (0, None), (None, None)], method="L-BFGS-B")
    return float(best.x[0]), float(best.x[1])
