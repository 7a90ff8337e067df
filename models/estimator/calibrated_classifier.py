"""A binary classifier of scikit-learn's kind whose probabilities are calibrated on rows that were held out in time."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from models.dataset.splits import groups_of
from models.estimator.boosting import one_thread
from models.estimator.cross_fit import MIN_FIT, cross_fit_parts, held_out_rows, require_both, require_enough
from models.estimator.scorer import feature_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray
    from sklearn.utils import Tags

    from features.spec import FeatureSpec
    from models.estimator.calibration import Calibration
    from models.estimator.cross_fit import Part


class CalibratedClassifier(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """What all our estimators share: checked input, rows held out apart by group, and calibrated probabilities.

    A subclass fits itself in `_fit`, where it sets ``calibration_``, ``reference_`` and ``fit_rows_``, and gives
    `margins`. NaN is a missing value.
    """

    too_few: Literal["raise", "unweighed"]
    classes_: NDArray[Any]
    calibration_: Calibration
    reference_: NDArray[np.float64]
    fit_rows_: int

    def fit(
        self,
        X: ArrayLike,  # noqa: N803 -- scikit-learn's name
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        weak: ArrayLike | None = None,
    ) -> Self:
        """Fit on all rows, after held out ones said what a margin means.

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
        x, labels = validate_data(self, X, y, dtype=np.float64, order="C", ensure_all_finite="allow-nan")
        check_classification_targets(labels)
        kind = type_of_target(labels)
        if kind != "binary":
            message = f"Only binary classification is supported. The type of the target is {kind}."
            raise ValueError(message)
        weight = _check_sample_weight(sample_weight, x, dtype=np.float64, ensure_non_negative=True)
        kept = weight > 0
        if np.unique(labels[kept]).size < 2:
            message = "A classifier needs two classes to fit on, there is only 1 class with a positive weight"
            raise ValueError(message)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        group = np.arange(len(x)) if groups is None else np.asarray(groups)
        assumed = np.zeros(len(x), dtype=bool) if weak is None else np.asarray(weak, dtype=bool)
        by_kind = group.reshape(len(x), -1)
        with one_thread():
            self._fit(x[kept], codes[kept].astype(np.float64), weight[kept], by_kind[kept], assumed[kept])
        return self

    @abstractmethod
    def margins(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return raw log-odds of the second class, shape (rows,), for float64 rows that are taken as they are."""

    @abstractmethod
    def _fit(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        groups: NDArray[np.int64],
        weak: NDArray[np.bool_],
    ) -> None:
        """Fit on checked rows whose ``y`` is 1 for the second class and 0 for the first."""

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return calibrated log-odds of the second class, shape (rows,)."""
        margins = self._margins_of(X)
        return self.calibration_.log_odds(margins)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        """Return calibrated probabilities of both classes, shape (rows, 2)."""
        margins = self._margins_of(X)
        second = self.calibration_(margins)
        return np.column_stack([1 - second, second])

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the likelier class of each row, shape (rows,)."""
        likelier = self.decision_function(X) > 0
        return np.asarray(self.classes_[likelier.astype(int)])

    def __sklearn_tags__(self) -> Tags:
        """Say that two classes are told apart and that values may be missing."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _parts(self, y: NDArray[np.float64], groups: NDArray[np.int64], weak: NDArray[np.bool_]) -> list[Part]:
        """Return what is fitted on and held out in turn; nothing where the held out rows would be of one class."""
        parts = cross_fit_parts(y, groups, weak)
        if self.too_few == "raise":
            require_enough(y, parts)
        return parts if np.unique(y[held_out_rows(parts)]).size == 2 else []

    def _margins_of(self, X: ArrayLike) -> NDArray[np.float64]:  # noqa: N803
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, order="C", ensure_all_finite=False, reset=False)
        return self.margins(x)


E = TypeVar("E", bound=CalibratedClassifier)


def fit_on(estimator: E, rows: pd.DataFrame, specs: Sequence[FeatureSpec]) -> E:
    """Fit an estimator on examples, what is held out apart by seller and photos from what it is fitted on.

    Parameters
    ----------
    rows
        Rows with ``y`` of 0 or 1, in order of time; see `models.dataset.training_rows.training_rows` for ``weight``
        and ``weak``.
    specs
        The features.

    Raises
    ------
    NotEnoughLabels
        When a class is too rare to fit on, or to hold some of it out.
    """
    y = rows["y"].to_numpy("float64")
    require_both(y, MIN_FIT, "to fit on")
    return estimator.fit(
        feature_matrix(rows, specs),
        y,
        rows["weight"].to_numpy("float64") if "weight" in rows else None,
        groups=groups_of(rows),
        weak=rows["weak"].to_numpy(bool) if "weak" in rows else None,
    )
