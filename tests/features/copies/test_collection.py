"""Reference pictures as arrays: which row is whose, and keys for every kind of hash."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.copies.collection import RADII, Pictures
from features.facts import HASH_KINDS, LOW_INFORMATION
from features.hamming.brute_force import within
from tests.features.copies.pictured import Pictured
from tests.features.copies.prints import fingerprints, random_hashes

NAMES = [f"{number:064x}" for number in range(9)] + [f"{number:x}".ljust(64, "0") for number in range(1, 9)]
"""Half of them begin alike."""


def named(names):
    prints = fingerprints(random_hashes(np.random.default_rng(0), len(names)))
    return Pictures.of(prints.assign(image_id=pd.Series(names, dtype="str")))


@given(held=st.permutations(NAMES).map(lambda names: names[:10]), query=st.lists(st.sampled_from(NAMES)))
def test_rows_are_where_the_names_are(held, query):
    rows = named(held).rows(pd.Series(query, dtype="str"))
    assert rows.tolist() == [held.index(name) if name in held else -1 for name in query]
    assert rows.dtype == np.int64


def test_among_no_pictures_nothing_has_a_row():
    assert named([]).rows(pd.Series(NAMES, dtype="str")).tolist() == [-1] * len(NAMES)


def test_fingerprints_are_taken_as_they_are():
    hashes = random_hashes(np.random.default_rng(1), 4)
    information = [0.0, LOW_INFORMATION, np.nextafter(LOW_INFORMATION, 0), 5.0]
    prints = fingerprints(hashes, information=information, width=[1, 2, 3, 4])
    pictures = Pictures.of(prints)
    assert pictures.names(np.array([3, 0])).tolist() == prints["image_id"].iloc[[3, 0]].tolist()
    assert (pictures.hashes == hashes).all()
    assert pictures.size.tolist() == [[1, 480], [2, 480], [3, 480], [4, 480]]
    assert pictures.informative.tolist() == [False, True, False, True]


@pytest.mark.parametrize("kind", HASH_KINDS)
def test_every_kind_of_hash_is_found_by_also_those_that_no_index_is_kept_of(kind):
    hashes = random_hashes(np.random.default_rng(2), 50)
    reference = Pictured(fingerprints(hashes), {}).collection(20, 21)
    assert (kind in reference.nearest) == (kind in RADII)
    keys = hashes[:, HASH_KINDS.index(kind)]
    index = reference.by_hash(kind)
    hits = index.within(keys, 24)
    found = set(zip(hits.query_index.tolist(), index.items_at(hits.key_index).tolist(), strict=True))
    expected = within(keys, keys, 24)
    assert found == set(zip(expected.query_index.tolist(), expected.key_index.tolist(), strict=True))
