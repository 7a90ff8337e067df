"""Descriptors become bytes and come back as they were, one by one and by the thousand."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.keypoints.descriptor import BLOBS, LAYOUT, Descriptor, pack, unpack, unpack_rows


def drawn(seed):
    noise = np.random.default_rng(seed)
    arrays = {}
    for part in LAYOUT:
        octets = noise.integers(0, 256, part.n_bytes, np.uint8)
        arrays[part.name] = octets.view(part.dtype).reshape(part.shape)
    return Descriptor(**arrays)


def rows_of(descriptors):
    packed = [pack(descriptor) for descriptor in descriptors]
    return {
        blob: np.frombuffer(b"".join(row[blob] for row in packed), np.uint8).reshape(len(packed), -1) for blob in BLOBS
    }


def test_every_array_of_a_descriptor_has_its_place():
    assert [part.name for part in LAYOUT] == [field.name for field in fields(Descriptor)]


@given(st.integers(0, 2**32))
def test_a_descriptor_comes_back_as_it_was(seed):
    descriptor = drawn(seed)
    unpacked = unpack(pack(descriptor))
    for part in LAYOUT:
        array = getattr(unpacked, part.name)
        assert array.dtype == getattr(descriptor, part.name).dtype
        np.testing.assert_array_equal(array, getattr(descriptor, part.name))


@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=5), st.sets(st.sampled_from(BLOBS), min_size=1))
def test_many_at_once_are_what_each_alone_is(seeds, wanted):
    descriptors = [drawn(seed) for seed in seeds]
    arrays = unpack_rows({blob: rows for blob, rows in rows_of(descriptors).items() if blob in wanted})
    assert set(arrays) == {part.name for part in LAYOUT if part.blob in wanted}
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, np.stack([getattr(descriptor, name) for descriptor in descriptors]))


def test_no_descriptors_are_arrays_without_rows():
    arrays = unpack_rows({blob: np.empty((0, 0), np.uint8) for blob in BLOBS})
    assert {name: array.shape for name, array in arrays.items()} == {part.name: (0, *part.shape) for part in LAYOUT}


def test_the_bytes_are_those_of_the_layout_on_every_machine():
    descriptor = drawn(1)
    packed = pack(descriptor)
    assert {blob: len(octets) for blob, octets in packed.items()} == {
        blob: sum(part.n_bytes for part in LAYOUT if part.blob == blob) for blob in BLOBS
    }
    assert int.from_bytes(packed["search_keys"][:8], "little") == int(descriptor.keypoints["hash"][0])
    assert packed["thumbnail"][:128] == bytes(descriptor.thumbnail[0].tolist())


@pytest.mark.parametrize("part", LAYOUT, ids=lambda part: part.name)
def test_an_array_of_another_shape_is_refused(part):
    arrays = {name.name: getattr(drawn(2), name.name) for name in LAYOUT}
    with pytest.raises(ValueError, match=f"{part.name} of a descriptor has the shape"):
        pack(Descriptor(**arrays | {part.name: arrays[part.name][1:]}))


@pytest.mark.parametrize("blob", BLOBS)
def test_bytes_of_another_length_are_refused(blob):
    packed = pack(drawn(3))
    with pytest.raises(ValueError, match=f"{blob} of a descriptor holds"):
        unpack(packed | {blob: packed[blob] + b"0"})
