"""Sketches become bytes and come back as they were, one by one and by the thousand."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.keypoints.descriptor import Sketch
from features.keypoints.serialization import BLOBS, LAYOUT, pack, unpack, unpack_rows


def drawn(seed):
    noise = np.random.default_rng(seed)
    arrays = {}
    for part in LAYOUT:
        octets = noise.integers(0, 256, part.n_bytes, np.uint8)
        arrays[part.name] = octets.view(part.dtype).reshape(part.shape)
    return Sketch(**arrays)


def rows_of(sketches):
    packed = [pack(sketch) for sketch in sketches]
    return {
        blob: np.frombuffer(b"".join(row[blob] for row in packed), np.uint8).reshape(len(packed), -1) for blob in BLOBS
    }


def test_every_array_of_a_sketch_has_its_place():
    assert [part.name for part in LAYOUT] == [field.name for field in fields(Sketch)]


@given(st.integers(0, 2**32))
def test_a_sketch_comes_back_as_it_was(seed):
    sketch = drawn(seed)
    found = unpack(pack(sketch))
    for part in LAYOUT:
        array = getattr(found, part.name)
        assert array.dtype == getattr(sketch, part.name).dtype
        np.testing.assert_array_equal(array, getattr(sketch, part.name))


@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=5), st.sets(st.sampled_from(BLOBS), min_size=1))
def test_many_at_once_are_what_each_alone_is(seeds, wanted):
    sketches = [drawn(seed) for seed in seeds]
    arrays = unpack_rows({blob: rows for blob, rows in rows_of(sketches).items() if blob in wanted})
    assert set(arrays) == {part.name for part in LAYOUT if part.blob in wanted}
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, np.stack([getattr(sketch, name) for sketch in sketches]))


def test_no_sketches_are_arrays_without_rows():
    arrays = unpack_rows({blob: np.empty((0, 0), np.uint8) for blob in BLOBS})
    assert {name: array.shape for name, array in arrays.items()} == {part.name: (0, *part.shape) for part in LAYOUT}


def test_the_bytes_are_those_of_the_layout_on_every_machine():
    sketch = drawn(1)
    packed = pack(sketch)
    assert {blob: len(octets) for blob, octets in packed.items()} == {
        blob: sum(part.n_bytes for part in LAYOUT if part.blob == blob) for blob in BLOBS
    }
    assert int.from_bytes(packed["search_keys"][:8], "little") == int(sketch.points["hash"][0])
    assert packed["thumbnail"][:128] == bytes(sketch.thumbnail[0].tolist())


@pytest.mark.parametrize("part", LAYOUT, ids=lambda part: part.name)
def test_an_array_of_another_shape_is_refused(part):
    arrays = {name.name: getattr(drawn(2), name.name) for name in LAYOUT}
    with pytest.raises(ValueError, match=f"{part.name} of a sketch has the shape"):
        pack(Sketch(**arrays | {part.name: arrays[part.name][1:]}))


@pytest.mark.parametrize("blob", BLOBS)
def test_bytes_of_another_length_are_refused(blob):
    packed = pack(drawn(3))
    with pytest.raises(ValueError, match=f"{blob} of a sketch holds"):
        unpack(packed | {blob: packed[blob] + b"0"})
