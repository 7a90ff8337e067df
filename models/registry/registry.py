"""Kept models: a content-addressed folder that is checked before anything in it is believed.

Each model is a folder named by the SHA-256 of its manifest, and the manifest names the SHA-256 of each file, so that
no byte can change unnoticed. Loading goes inspect, verify, build: hashes first, then the features and libraries the
model was made for, then the types its file asks for, and only then is anything constructed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import skops.io
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier

from data.durable import flush, write_folder
from data.errors import ModelError
from features.spec import fingerprint
from models.estimator.boosting import Shape
from models.estimator.calibration import Calibration
from models.estimator.custom import CalibratedEstimator
from models.estimator.ensemble import SignBoundedEnsemble, ensemble_for
from models.estimator.linear import LinearMember
from models.estimator.rule import RULE_ID
from models.estimator.scorer import Bands, Model
from models.evaluation.evaluation import CANDIDATE
from models.registry.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from features.spec import FeatureSpec
    from models.estimator.calibrated_classifier import CalibratedClassifier
    from models.training.candidate import Candidate

ESTIMATOR_FILE = "estimator.skops"
SIDE_FILE = "model.json"
CARD_FILE = "card.json"
MANIFEST_FILE = "manifest.json"
PREFIX = "hgb-"
CUSTOM_PREFIX = "custom-"
"""Of models whose estimator is not ours."""
ID_DIGITS = 16
ALLOWED_TYPES = frozenset({"numpy.dtype", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"})
"""What a model file may hold beyond the types skops itself trusts: the name of a number's type, and trees that hold
plain arrays."""
PRIOR_WEIGHT_KEY = "trust"
"""What the first models call the weight of the rule's log-odds."""
TRAIN_AGAIN = "Train a new one with `seenbefore train`"
BRING_BACK = "Bring it back from a backup, or train a new one with `seenbefore train`"


class Registry:
    """The models of one home.

    Parameters
    ----------
    folder
        Made when the first model is kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, candidate: Candidate) -> str:
        """Store a candidate for good and return its id; the same candidate has the same id and is stored once.

        Raises
        ------
        ModelError
            When its file would not be loaded again: see `unsafe_types`.
        """
        unsafe = unsafe_types(candidate)
        if unsafe:
            raise ModelError(CANDIDATE, f"its file would ask for types that are not allowed: {unsafe}", TRAIN_AGAIN)
        files = {
            ESTIMATOR_FILE: canonical(_dumped(candidate.estimator)),
            SIDE_FILE: _json(_side(candidate)),
            CARD_FILE: _json(candidate.card),
        }
        manifest = _json({name: _sha256(content) for name, content in files.items()})
        prefix = PREFIX if isinstance(candidate.estimator, SignBoundedEnsemble) else CUSTOM_PREFIX
        model_id = f"{prefix}{_sha256(manifest)[:ID_DIGITS]}"
        if not (self.folder / model_id).exists():
            write_folder(self.folder / model_id, {**files, MANIFEST_FILE: manifest})
        else:
            flush(str(self.folder))  # whoever named it may have failed at that
        return model_id

    def list(self) -> list[str]:
        """Return the ids of all kept models, in the order of their ids."""
        prefixes = (PREFIX, CUSTOM_PREFIX)
        return sorted(
            path.parent.name for prefix in prefixes for path in self.folder.glob(f"{prefix}*/{MANIFEST_FILE}")
        )

    def card(self, model_id: str) -> dict[str, Any]:
        """Return the card of a model, its hash checked."""
        card: dict[str, Any] = json.loads(self._verified(model_id)[CARD_FILE])
        return card

    def load(self, model_id: str, specs: Sequence[FeatureSpec]) -> Model:
        """Build a model for the given features.

        Raises
        ------
        ModelError
            When the model is unknown, a byte of it changed, it was made for other features or another scikit-learn,
            or its file asks for types that are not on the list.
        """
        files = self._verified(model_id)
        side = json.loads(files[SIDE_FILE])
        _check_specs(model_id, side, specs)
        _check_library(model_id, side["scikit-learn"])
        _check_rule(model_id, side.get("rule", RULE_ID))
        return Model(
            model_id=model_id,
            feature_names=tuple(spec.name for spec in specs),
            estimator=_estimator(model_id, specs, side, files[ESTIMATOR_FILE]),
            bands=Bands(**side["bands"]),
            trained_until=datetime.fromisoformat(side["trained_until"]),
        )

    def _verified(self, model_id: str) -> dict[str, bytes]:
        """Return the bytes of all files after checking each against the manifest, and the manifest against the id."""
        if model_id not in self.list():
            known = ", ".join(self.list()) or "none"
            raise ModelError(model_id, f"there is no such model, kept are: {known}", "See `seenbefore models list`")
        folder = self.folder / model_id
        manifest = _read(model_id, folder / MANIFEST_FILE)
        if model_id.rpartition("-")[2] != _sha256(manifest)[:ID_DIGITS]:
            raise ModelError(model_id, f"{MANIFEST_FILE} is not the one it was kept with", BRING_BACK)
        files: dict[str, bytes] = {}
        for name, expected in json.loads(manifest).items():
            files[name] = _read(model_id, folder / name)
            if _sha256(files[name]) != expected:
                raise ModelError(model_id, f"{name} was changed after it was kept", BRING_BACK)
        return files


def _read(model_id: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(model_id, f"{path.name} cannot be read ({error.strerror})", BRING_BACK) from error


def unsafe_types(candidate: Candidate) -> str:
    """Name what a candidate's file would hold beyond the types that are allowed; empty if it can be kept."""
    try:
        content = _dumped(candidate.estimator)
    except Exception as error:  # noqa: BLE001 -- skops meets types of strangers here, which may fail in any way
        return f"{type(error).__name__}: {error}"
    return ", ".join(_foreign_types(content))


def _dumped(estimator: CalibratedClassifier) -> bytes:
    """Return the part of an estimator that is scikit-learn's, as skops writes it."""
    part = estimator.boosting_ if isinstance(estimator, SignBoundedEnsemble) else estimator.estimator_
    content: bytes = skops.io.dumps(part)
    return content


def _foreign_types(content: bytes) -> list[str]:
    return sorted(set(skops.io.get_untrusted_types(data=content)) - ALLOWED_TYPES)


def _side(candidate: Candidate) -> dict[str, Any]:
    """Return everything that is not scikit-learn's as plain values; the keys are those of the first models."""
    estimator = candidate.estimator
    return {
        "specs": [asdict(spec) for spec in candidate.specs],
        "spec_fingerprint": fingerprint(candidate.specs),
        "scikit-learn": candidate.card["libraries"]["scikit-learn"],
        "calibration": asdict(estimator.calibration_),
        "reference": [None if np.isnan(value) else value for value in estimator.reference_.tolist()],
        "fit_rows": estimator.fit_rows_,
        "bands": asdict(candidate.bands),
        "trained_until": candidate.until.isoformat(),
        **(
            _ensemble_record(estimator)
            if isinstance(estimator, SignBoundedEnsemble)
            else {"custom": estimator.record()}
        ),
    }


def _ensemble_record(estimator: SignBoundedEnsemble) -> dict[str, Any]:
    return {
        "rule": RULE_ID,
        "line": _linear_record(estimator.linear_),
        "shares": list(estimator.shares_),
        "ridge": estimator.ridge_,
        "shape": asdict(estimator.shape_),
    }


def _estimator(
    model_id: str, specs: Sequence[FeatureSpec], side: dict[str, Any], content: bytes
) -> CalibratedClassifier:
    """Return the fitted estimator of a kept model."""
    calibration = Calibration(**_tuples(side["calibration"]))
    reference = np.array(side["reference"], dtype=np.float64)
    if "custom" in side:
        return CalibratedEstimator.restored(
            _built(model_id, content, BaseEstimator),
            imputed=side["custom"]["imputed"],
            calibration=calibration,
            reference=reference,
            fit_rows=side["fit_rows"],
        )
    boosting = _built(model_id, content, HistGradientBoostingClassifier)
    estimator = ensemble_for(specs, seed=boosting.random_state)
    estimator.classes_, estimator.n_features_in_ = boosting.classes_, len(specs)
    estimator.linear_, estimator.boosting_ = _linear(side["line"]), boosting
    estimator.shares_, estimator.calibration_, estimator.reference_ = tuple(side["shares"]), calibration, reference
    estimator.fit_rows_, estimator.ridge_, estimator.shape_ = side["fit_rows"], side["ridge"], Shape(**side["shape"])
    estimator.held_out_ = None
    return estimator


def _linear_record(member: LinearMember) -> dict[str, Any]:
    record = {
        name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in asdict(member).items()
    }
    return {PRIOR_WEIGHT_KEY if name == "prior_weight" else name: value for name, value in record.items()}


def _linear(record: dict[str, Any]) -> LinearMember:
    arrays = {name: np.array(value, dtype=np.float64) for name, value in record.items() if isinstance(value, list)}
    return LinearMember(**arrays, prior_weight=record[PRIOR_WEIGHT_KEY], intercept=record["intercept"])


def _tuples(record: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in record.items()}


def _check_specs(model_id: str, side: dict[str, Any], specs: Sequence[FeatureSpec]) -> None:
    if side["spec_fingerprint"] == fingerprint(specs):
        return
    raise ModelError(model_id, f"it was made for other features: {_spec_difference(side['specs'], specs)}", TRAIN_AGAIN)


def _spec_difference(kept: list[dict[str, Any]], specs: Sequence[FeatureSpec]) -> str:
    then = {spec["name"]: spec for spec in kept}
    now = {spec.name: asdict(spec) for spec in specs}
    changed = [
        f"{name} ({', '.join(field for field in now[name] if now[name][field] != then[name].get(field))})"
        for name in now
        if name in then and now[name] != then[name]
    ]
    parts = {
        "no longer there": [name for name in then if name not in now],
        "new": [name for name in now if name not in then],
        "changed": changed,
    }
    said = [f"{what}: {', '.join(names)}" for what, names in parts.items() if names]
    return "; ".join(said) or "the same ones in another order"


def _check_library(model_id: str, kept: str) -> None:
    from sklearn import __version__ as present

    if kept.split(".")[:2] != present.split(".")[:2]:
        found = f"it was made with scikit-learn {kept}, here is {present}"
        raise ModelError(model_id, found, f"Install scikit-learn {kept}, or train a new one with `seenbefore train`")


def _check_rule(model_id: str, kept: str) -> None:
    if kept != RULE_ID:
        raise ModelError(model_id, f"it builds on {kept}, here is {RULE_ID}", TRAIN_AGAIN)


def _built(model_id: str, content: bytes, expected: type) -> Any:
    foreign = _foreign_types(content)
    if foreign:
        found = f"its file asks for types that are not allowed: {', '.join(foreign)}"
        raise ModelError(model_id, found, "Do not use this file; find out who wrote it")
    estimator = skops.io.loads(content, trusted=sorted(ALLOWED_TYPES))
    if not isinstance(estimator, expected):
        found = f"its file holds a {type(estimator).__name__}, expected a {expected.__name__}"
        raise ModelError(model_id, found, TRAIN_AGAIN)
    return estimator


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True, allow_nan=False).encode()
