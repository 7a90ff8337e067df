"""Pictures that somebody asks about are opened in processes of their own, and come with what a search needs."""

from __future__ import annotations

from dataclasses import fields

import imagehash
import numpy as np
import pytest
from PIL import Image

from data.catalog.export import export_frame
from data.images.decode import decode
from data.settings import DecodeSettings, load_settings
from features.hashing.fingerprint import fingerprint_and_descriptor
from models.serving.context import open_context
from models.serving.pictures.query_pictures import read_queries
from models.serving.pictures.thumbnails import thumbnail
from tests.flows.filled import as_file, ask, fill, fill_and_compare, photo, posted, smaller


@pytest.fixture
def files(tmp_path):
    """Two photos, the second once more under another name, and one that was cut off."""
    contents = {
        "a.jpg": as_file(photo(1).resize((200, 150))),
        "b.png": as_file(photo(2).resize((90, 120)), "PNG"),
        "b again.png": as_file(photo(2).resize((90, 120)), "PNG"),
        "cut.png": as_file(photo(2).resize((90, 120)), "PNG")[:3000],
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    return {str(tmp_path / name): content for name, content in contents.items()}


@pytest.fixture
def nothing_opened_here(monkeypatch):
    def refuse(*_arguments, **_options):
        raise AssertionError("a stranger's picture was opened in this process")

    monkeypatch.setattr(Image, "open", refuse)


def test_each_readable_picture_comes_with_its_fingerprint_and_its_sketch(files, tmp_path):
    with read_queries(open_context(load_settings(tmp_path / "home")), list(files)) as queries:
        prints = queries.prints.set_index("query")
        assert [name for name, _reason in queries.unread] == [name for name in files if name.endswith("cut.png")]
        assert list(prints.index) == [name for name in files if not name.endswith("cut.png")]
        assert set(queries.sketches) == set(prints["image_id"])
        for name, row in prints.iterrows():
            here, sketch = fingerprint_and_descriptor(decode(files[name], DecodeSettings()).image)
            assert (row["phash"], row["width"], row["information"]) == (here.phash, here.width, here.information)
            for field in fields(sketch):
                found = getattr(queries.sketches[row["image_id"]], field.name)
                np.testing.assert_array_equal(found, getattr(sketch, field.name))


def test_what_cannot_be_read_is_told_in_a_sentence(files, tmp_path):
    with read_queries(open_context(load_settings(tmp_path / "home")), list(files)) as queries:
        ((_name, reason),) = queries.unread
    assert " " in reason
    assert reason != "truncated"


def test_a_search_and_its_sheet_open_no_picture_in_their_own_process(tmp_path, nothing_opened_here, capsys):
    home, asked, out = tmp_path / "home", tmp_path / "asked.jpg", tmp_path / "hits.html"
    fill_and_compare(home, posted("l1", "ann", 1, as_file(photo(1))))
    asked.write_bytes(as_file(smaller(photo(1))))
    assert ask(home, "similar", asked, "--out", out) == 0
    assert out.read_text().count("data:image/jpeg;base64,") == 2


def test_a_thumbnail_opens_no_picture_in_its_own_process(tmp_path, nothing_opened_here):
    context = fill(tmp_path / "home", posted("l1", "ann", 1, as_file(photo(1))))
    assert thumbnail(context, next(context.store.ids())).startswith(b"\xff\xd8\xff")
    assert thumbnail(context, context.store.put(b"\xff\xd8\xff no picture")) is None


@pytest.mark.parametrize("tag", range(9))
def test_a_turned_picture_is_known_by_its_stored_side_too(shared, tmp_path, tag):
    file = shared / "pairs" / "exif_orientation" / f"Landscape_{tag}.jpg"
    context = fill(tmp_path / "home", posted("l1", "ann", 1, file.read_bytes()))
    with context.catalog.read() as connection:
        (row,) = export_frame(connection, "images").itertuples(index=False)
    with Image.open(file) as image:
        as_it_lies = str(imagehash.phash(image))
    assert (row.untransposed_phash == as_it_lies) == (tag > 1)
    assert (row.phash == as_it_lies) == (tag < 2)
