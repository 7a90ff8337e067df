from __future__ import annotations

import errno
import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import FunctionTransformer

from data.errors import ModelError, WriteError
from models.estimator.scoring import score
from models.registry.registry import CARD_FILE, ESTIMATOR_FILE, MANIFEST_FILE, SIDE_FILE, Registry


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "models")


def forged(registry: Registry, model_id: str, name: str, content: bytes) -> str:
    """Exchange one file and make the manifest and the folder's name fit again, as somebody with write access could."""
    folder = registry.folder / model_id
    (folder / name).write_bytes(content)
    manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    manifest[name] = hashlib.sha256(content).hexdigest()
    written = json.dumps(manifest).encode()
    (folder / MANIFEST_FILE).write_bytes(written)
    forged_id = f"hgb-{hashlib.sha256(written).hexdigest()[:16]}"
    folder.rename(registry.folder / forged_id)
    return forged_id


def test_a_kept_model_scores_as_it_did(registry, trained, market, specs):
    model_id = registry.keep(trained)
    loaded = registry.load(model_id, specs)
    x = market[list(loaded.feature_names)].to_numpy()
    assert loaded.margins(x).tobytes() == trained.model().margins(x).tobytes()
    before = score(market, trained.model(model_id), specs)
    after = score(market, loaded, specs)
    assert after.table.equals(before.table)
    assert after.contributions.equals(before.contributions)
    assert loaded.trained_until == trained.until
    assert registry.card(model_id)["spec_fingerprint"] == trained.card["spec_fingerprint"]


def test_keeping_the_same_candidate_twice_keeps_it_once(registry, trained):
    assert registry.keep(trained) == registry.keep(trained)
    assert len(registry.list()) == 1
    assert [path.name for path in registry.folder.iterdir()] == registry.list()


def test_the_folder_of_models_is_flushed_before_an_id_is_told_so_that_no_power_cut_takes_a_promoted_model(
    registry, trained, monkeypatch
):
    flushed, full = [], True
    flush = os.fsync

    def note(descriptor):
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if full and path == registry.folder:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flushed.append(path)
        flush(descriptor)

    monkeypatch.setattr("os.fsync", note)
    for _again in range(2):
        with pytest.raises((WriteError, OSError), match="No space left"):
            registry.keep(trained)
    full = False
    registry.keep(trained)
    assert flushed[-1] == registry.folder


def test_an_unknown_model_is_named_with_those_that_are_kept(registry, trained, specs):
    with pytest.raises(ModelError, match="no such model, kept are: none"):
        registry.load("hgb-0000000000000000", specs)
    model_id = registry.keep(trained)
    with pytest.raises(ModelError, match=f"kept are: {model_id}"):
        registry.load("../models", specs)


@pytest.mark.parametrize("name", [ESTIMATOR_FILE, SIDE_FILE, CARD_FILE, MANIFEST_FILE])
def test_one_changed_byte_is_refused(registry, trained, specs, name):
    model_id = registry.keep(trained)
    path = registry.folder / model_id / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ModelError, match=rf"Model {model_id} cannot be used: {name} (was changed|is not the one)"):
        registry.load(model_id, specs)


def test_a_lost_file_is_refused(registry, trained, specs):
    model_id = registry.keep(trained)
    (registry.folder / model_id / ESTIMATOR_FILE).unlink()
    with pytest.raises(ModelError, match=f"{ESTIMATOR_FILE} cannot be read"):
        registry.load(model_id, specs)


def test_foreign_types_are_refused_before_anything_is_built(registry, trained, specs):
    foreign = skops.io.dumps(FunctionTransformer(func=np.lib.format.open_memmap))
    model_id = forged(registry, registry.keep(trained), ESTIMATOR_FILE, foreign)
    with pytest.raises(ModelError, match=r"types that are not allowed: .*open_memmap"):
        registry.load(model_id, specs)


def test_another_estimator_of_trusted_types_is_refused(registry, trained, specs):
    model_id = forged(registry, registry.keep(trained), ESTIMATOR_FILE, skops.io.dumps(SGDClassifier(loss="hinge")))
    with pytest.raises(ModelError, match="holds a SGDClassifier, expected a HistGradientBoostingClassifier"):
        registry.load(model_id, specs)
    assert HistGradientBoostingClassifier.__name__ == type(trained.estimator.boosting_).__name__


def test_another_scikit_learn_is_refused(registry, trained, specs):
    kept = registry.keep(trained)
    side = json.loads((registry.folder / kept / SIDE_FILE).read_bytes()) | {"scikit-learn": "0.24.2"}
    model_id = forged(registry, kept, SIDE_FILE, json.dumps(side).encode())
    with pytest.raises(ModelError, match=r"made with scikit-learn 0\.24\.2, here is"):
        registry.load(model_id, specs)


def test_a_model_that_builds_on_another_rule_is_refused(registry, trained, specs):
    kept = registry.keep(trained)
    side = json.loads((registry.folder / kept / SIDE_FILE).read_bytes()) | {"rule": "rule-0"}
    model_id = forged(registry, kept, SIDE_FILE, json.dumps(side).encode())
    with pytest.raises(ModelError, match="it builds on rule-0, here is rule-1"):
        registry.load(model_id, specs)


def test_other_features_are_refused_and_the_difference_is_named(registry, trained, specs):
    model_id = registry.keep(trained)
    renamed = (replace(specs[0], name="surest"), replace(specs[1], direction=0), *specs[2:])
    with pytest.raises(ModelError) as caught:
        registry.load(model_id, renamed)
    said = str(caught.value)
    assert "no longer there: surest_same_photo; new: surest; changed: copied_share (direction)" in said
    with pytest.raises(ModelError, match="the same ones in another order"):
        registry.load(model_id, (specs[1], specs[0], *specs[2:]))
