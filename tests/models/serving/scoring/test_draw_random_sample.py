"""What a draw means for the listings that analysts decided on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from models.dataset.training_rows import MAX_WEIGHT, selection_weights
from models.serving.scoring.draw_random_sample import with_look_chances


def test_only_decisions_that_the_draw_alone_led_to_stand_for_others():
    examples = pd.DataFrame(
        {
            "listing_key": [1, 2, 3, 4, 5],
            "source": pd.Series(["analyst", "analyst", "chargeback", None, "analyst"], dtype="str"),
        }
    )
    audits = pd.DataFrame(
        {
            "listing_key": [1, 2, 3, 4, 1],
            "as_of": pd.date_range("2026-01-01", periods=5, tz="UTC"),
            "band": ["low", "high", "low", "medium", "high"],
            "propensity": [0.1, 0.1, 0.1, 0.001, 0.5],
        }
    )
    found = with_look_chances(examples, audits)
    np.testing.assert_array_equal(found["propensity"], [0.1, 0.1, 0.1, 0.001, np.nan])
    assert found["chance_of_a_look"].tolist() == [0.1, 1.0, 1.0, 1.0, 1.0]
    assert selection_weights(found).tolist() == [10.0, 1.0, 1.0, 1.0, 1.0]
    assert selection_weights(found.assign(chance_of_a_look=0.001)).tolist() == [MAX_WEIGHT] * 5


def test_before_the_first_draw_every_decision_stands_for_itself():
    examples = pd.DataFrame({"listing_key": [1], "source": pd.Series(["analyst"], dtype="str")})
    none = pd.DataFrame({"listing_key": [], "as_of": [], "band": [], "propensity": []})
    found = with_look_chances(examples, none)
    assert found["propensity"].isna().all()
    assert found["chance_of_a_look"].tolist() == [1.0]
