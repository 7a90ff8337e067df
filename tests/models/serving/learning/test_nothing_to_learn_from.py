"""Training and evaluation where there is nothing yet: a sentence, never a crash."""

from __future__ import annotations

import pytest

from data.errors import NotEnoughLabels
from models.serving.learning.evaluate_model import evaluate_model
from models.serving.learning.train_model import Promote, train_candidate
from tests.data.catalog.rows import moment
from tests.flows.filled import as_file, fill, photo, posted


@pytest.fixture(params=["no listings", "no labels"])
def context(request, tmp_path):
    rows = [posted("a", "ann", 0, as_file(photo(1)))] if request.param == "no labels" else []
    return fill(tmp_path / "home", *rows)


def test_training_says_that_labels_are_missing(context):
    with pytest.raises(NotEnoughLabels, match="to train: found 0 fraud and 0 legit"):
        train_candidate(context, until=moment(600), promote=Promote.AUTO, now=moment(600))


def test_evaluation_says_that_labels_are_missing(context):
    with pytest.raises(NotEnoughLabels, match="to evaluate rule-1: found 0 fraud and 0 legit"):
        evaluate_model(context, model_id=None, since=None, until=moment(600), out=None)
