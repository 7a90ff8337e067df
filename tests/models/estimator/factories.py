"""Factories as a data scientist may name them in the settings."""

from __future__ import annotations

from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def forest() -> RandomForestClassifier:
    return RandomForestClassifier(n_estimators=20)


def scaled() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression())


def trees() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(max_iter=20)


def fails() -> None:
    raise RuntimeError("no licence")
