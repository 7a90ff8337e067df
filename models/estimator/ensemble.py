"""The estimator: a linear and a boosting member with known directions, weighed and calibrated on held out rows.

`SignBoundedEnsemble` is a classifier of scikit-learn's kind and knows nothing of listings; `ensemble_for` sets it up
for a list of features and the documented rule, and `fit_forms` fits it on a table of examples.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeVar

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from models.dataset.splits import groups_of
from models.estimator.boosting import (
    MAX_TREES,
    SHAPES,
    Shape,
    boosting_margins,
    cross_fit_boosting,
    fit_boosting,
    one_thread,
)
from models.estimator.calibration import UNCALIBRATED, Calibration, calibrate
from models.estimator.cross_fit import MIN_FIT, cross_fit_parts, held_out_rows, ordinary, require_both, require_enough
from models.estimator.linear import RIDGES, cross_fit_linear, fit_linear
from models.estimator.rule import rule_for
from models.estimator.scorer import FAR_BITS, feature_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray
    from sklearn.utils import Tags

    from features.spec import FeatureSpec
    from models.estimator.cross_fit import Part

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


class SignBoundedEnsemble(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
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

    def fit(
        self,
        X: ArrayLike,  # noqa: N803 -- scikit-learn's name
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        weak: ArrayLike | None = None,
    ) -> Self:
        """Fit on all rows, after held out ones said how strict, how large, and what a margin means.

        Parameters
        ----------
        X
            Shape (rows, features), in order of time: rows are held out in consecutive stretches.
        y
            Two classes, shape (rows,).
        sample_weight
            How many rows each row stands for; a row of weight 0 is not there.
        groups
            What must not be both learned from and held out, such as sellers: numbers of shape (rows,) or (rows, kinds).
        weak
            Rows whose class is only assumed, shape (rows,): learned from, never held out.

        Raises
        ------
        NotEnoughLabels
            A class is too rare, and ``too_few`` is ``raise``.
        ValueError
            As scikit-learn asks for: other than two classes, infinite values, unequal lengths.
        """
        x, labels, weight = self._checked(X, y, sample_weight)
        kept = weight > 0
        if np.unique(labels[kept]).size < 2:
            raise ValueError("A classifier needs two classes to fit on, there is only 1 class with a positive weight")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        group = np.arange(len(x)) if groups is None else np.asarray(groups)
        assumed = np.zeros(len(x), dtype=bool) if weak is None else np.asarray(weak, dtype=bool)
        with one_thread():
            self._fit(
                x[kept], codes[kept].astype(np.float64), weight[kept], group.reshape(len(x), -1)[kept], assumed[kept]
            )
        return self

    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw log-odds of the second class, shape (rows,), for float64 rows that are taken as they are."""
        if not len(x):
            return np.empty(0)
        of_linear, of_boosting = self.shares_
        stacked = self._stacked(x)
        return of_linear * self.linear_.margins(stacked) + of_boosting * boosting_margins(self.boosting_, stacked)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return calibrated log-odds of the second class, shape (rows,)."""
        margins = self._margins_of(X)
        return self.calibration_.log_odds(margins)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return calibrated probabilities of both classes, shape (rows, 2)."""
        margins = self._margins_of(X)
        second = self.calibration_(margins)
        return np.column_stack([1 - second, second])

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:  # noqa: N803
        """Return the likelier class of each row, shape (rows,)."""
        likelier = self.decision_function(X) > 0
        return np.asarray(self.classes_[likelier.astype(int)])

    def as_form(self, form: str) -> SignBoundedEnsemble:
        """Return the same fitted members in another form, calibrated on the same held out rows."""
        other = copy(self)
        other.form = form
        other._weigh()
        return other

    def __sklearn_tags__(self) -> Tags:
        """Say that two classes are told apart and that values may be missing."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _checked(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None,
    ) -> tuple[NDArray[np.float64], NDArray[np.generic], NDArray[np.float64]]:
        if self.form not in FORMS or self.too_few not in ("raise", "unweighed"):
            message = (
                f"form must be one of {FORMS}, found {self.form!r}; too_few raise or unweighed, not {self.too_few!r}"
            )
            raise ValueError(message)
        x, labels = validate_data(self, X, y, dtype=np.float64, order="C", ensure_all_finite="allow-nan")
        check_classification_targets(labels)
        kind = type_of_target(labels)
        if kind != "binary":
            message = f"Only binary classification is supported. The type of the target is {kind}."
            raise ValueError(message)
        weight = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        return x, labels, weight

    def _fit(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        groups: NDArray[np.int64],
        weak: NDArray[np.bool_],
    ) -> None:
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

    def _parts(self, y: NDArray[np.float64], groups: NDArray[np.int64], weak: NDArray[np.bool_]) -> list[Part]:
        parts = cross_fit_parts(y, groups, weak)
        if self.too_few == "raise":
            require_enough(y, parts)
        return parts if np.unique(y[held_out_rows(parts)]).size == 2 else []

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

    def _margins_of(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, order="C", ensure_all_finite=False, reset=False)
        return self.margins(x)

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
    rows
        Rows with ``y`` of 0 or 1, in order of time; see `models.dataset.training_rows.training_rows` for ``weight``
        and ``weak``.
    specs
        The features and their directions.
    seed
        The same rows and seed give the same predictions to the last bit.

    Raises
    ------
    NotEnoughLabels
        When a class is too rare to fit on, or to hold some of it out.
    """
    whole = fit_on(ensemble_for(specs, seed=seed), rows, specs)
    return {ENSEMBLE: whole} | {form: whole.as_form(form) for form in (LINEAR_ALONE, BOOSTING_ALONE)}


class _OnExamples(Protocol):
    """An estimator that holds out rows apart by group."""

    def fit(
        self,
        X: ArrayLike,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        weak: ArrayLike | None = None,
    ) -> Self:
        """Fit."""


E = TypeVar("E", bound=_OnExamples)


def fit_on(estimator: E, rows: pd.DataFrame, specs: Sequence[FeatureSpec]) -> E:
    """Fit an estimator on examples, apart by seller and photos; see `fit_forms`."""
    y = rows["y"].to_numpy("float64")
    require_both(y, MIN_FIT, "to fit on")
    return estimator.fit(
        feature_matrix(rows, specs),
        y,
        rows["weight"].to_numpy("float64") if "weight" in rows else None,
        groups=groups_of(rows),
        weak=rows["weak"].to_numpy(bool) if "weak" in rows else None,
    )


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
