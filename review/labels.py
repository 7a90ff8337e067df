"""What codes are called."""

from __future__ import annotations

from features.point_in_time.feature_frame import SPECS

MEANINGS = {spec.name: spec.meaning for spec in SPECS}
EDITS = {"none": "same file", "recompressed": "saved again", "": "no copied photo"}
VERDICT_LABELS = {"fraud": "Fraud", "legit": "Legit", "unsure": "Unsure", "undecided": "Undecided"}
PROBLEM_LABELS = {
    "stolen_photo": "stolen photo",
    "second_account": "own second account",
    "licensed": "licensed or stock photo",
    "same_business": "same business",
    "not_the_same_photo": "not the same photo",
    "other": "something else",
}
KIND_LABELS = {
    "verdict": "decided",
    "second_reading": "reviewed again",
    "undo": "took back",
    "appeal": "appealed",
    "overturn": "overturned",
    "snooze": "snoozed",
    "pair": "parted two photos",
}


def reason_label(code: str) -> str:
    """Return a feature's name as words.

    >>> reason_label("copied_photos")
    'copied photos'
    """
    return code.replace("_", " ")


def edit_label(edit: str) -> str:
    """Return what was done to a copied photo, as words."""
    return EDITS.get(edit, edit.replace("+", ", ").replace("_", " "))
