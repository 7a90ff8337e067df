"""The files of known pictures: made when needed, added to, never believed against the catalog."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from PIL import ImageOps
from sqlalchemy import select

from data.catalog.database.frames import read_frame
from data.catalog.database.schema import alike, images
from data.catalog.market.matches import fingerprints
from data.catalog.market.pictures import forget_pictures
from data.errors import SegmentsError
from data.segments.segment_file import NAME
from data.segments.segment_store import FEWEST, GRACE, SUFFIX, SegmentStore
from features.copies.candidates import INDEXED
from features.hashing.fingerprint import RECIPE
from features.point_in_time.ring_features import TIE_LIMITS
from models.serving.pictures import match_pictures, picture_index
from models.serving.pictures.match_pictures import compare_new_pictures
from models.serving.pictures.picture_index import index_store, index_with, open_index, read_sketches, rebuild_index
from tests.data.catalog.catalog_digest import catalog_digest
from tests.flows.filled import as_file, fill, photo, posted, smaller

ORIGINALS = [photo(number).resize((320, 240)) for number in range(3)]
FIRST = [as_file(image) for image in ORIGINALS]
LATER = [as_file(ImageOps.mirror(ORIGINALS[0])), as_file(smaller(ORIGINALS[1]))]


def post(home, files, since=0):
    return fill(home, *(posted(f"l{number}", f"s{number}", number, file) for number, file in enumerate(files, since)))


@pytest.fixture
def market(tmp_path):
    """A home with three photos that were compared, and two copies that were not."""
    context = post(tmp_path / "home", FIRST)
    assert compare_new_pictures(context, datetime.now(UTC)) == {"compared": 3, "alike": 0}
    return post(tmp_path / "home", LATER, since=3)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """What another home knows in which nothing ever went wrong."""
    home = tmp_path_factory.mktemp("undisturbed")
    context = post(home, FIRST)
    compare_new_pictures(context, datetime.now(UTC))
    post(home, LATER, since=3)
    assert compare_new_pictures(context, datetime.now(UTC)) == {"compared": 2, "alike": 2}
    return knowledge(context)


def knowledge(context):
    with context.catalog.read() as connection:
        return catalog_digest(connection)


def readable(context):
    with context.catalog.read() as connection:
        return read_frame(connection, select(images).order_by(images.c.image_id))


def waiting(context):
    with context.catalog.read() as connection:
        return fingerprints(connection, RECIPE, compared=False)


def held(collection):
    """The pictures of a collection, once every key of every index proved to be theirs."""
    names = collection.pictures.names(np.arange(len(collection.pictures.image_id))).tolist()
    for kind, index in collection.nearest.items():
        keys = dict(zip(index.items_at(np.arange(len(index))).tolist(), index.keys.tolist(), strict=True))
        column = ("ahash", "phash", "dhash").index(kind)
        assert keys == dict(enumerate(collection.pictures.hashes[:, column].tolist()))
    points = np.stack([collection.read([name])[name].keypoints for name in names]) if names else np.empty((0, INDEXED))
    for row in range(len(names)):
        assert collection.points.candidates(points[row : row + 1]).pair[0] == row
    return names


def compared_names(context):
    found = readable(context)
    return set(found.loc[found["compared"] == 1, "image_id"])


def segments(context):
    return sorted(index_store(context.settings).folder.glob(f"*{SUFFIX}"))


def test_the_files_are_made_by_the_first_run_and_added_to_by_the_next(market):
    before = {path: path.read_bytes() for path in segments(market)}
    assert set(held(open_index(market, datetime.now(UTC)))) == compared_names(market)
    assert compare_new_pictures(market, datetime.now(UTC)) == {"compared": 2, "alike": 2}
    assert len(held(open_index(market, datetime.now(UTC)))) == 5
    assert {path: path.read_bytes() for path in segments(market) if path in before} == before
    assert len(segments(market)) == len(before) + 1


def test_a_run_with_nothing_new_opens_nothing(market, monkeypatch):
    compare_new_pictures(market, datetime.now(UTC))
    for name in ("open", "append", "rebuild", "compact"):
        monkeypatch.setattr(SegmentStore, name, lambda *_, **__: pytest.fail("the files were touched"))
    assert compare_new_pictures(market, datetime.now(UTC)) == {"compared": 0, "alike": 0}


def test_opening_what_fits_writes_nothing(market, monkeypatch):
    monkeypatch.setattr(SegmentStore, "rebuild", lambda *_, **__: pytest.fail("the files were made anew"))
    assert len(held(open_index(market, datetime.now(UTC)))) == 3


def remove_all(store):
    shutil.rmtree(store.folder)


def truncate(store):
    for path in store.folder.glob(f"*{SUFFIX}"):
        path.write_bytes(path.read_bytes()[:-1])


def damage_a_header(store):
    for path in store.folder.glob(f"*{SUFFIX}"):
        content = bytearray(path.read_bytes())
        content[20] ^= 1
        path.write_bytes(content)


def lose_a_file(store):
    next(store.folder.glob(f"*{SUFFIX}")).unlink()


def damage_the_manifest(store):
    (store.folder / NAME).write_text("{")


def hold_nothing(store):
    store.rebuild([], now=datetime.now(UTC))


@pytest.mark.parametrize(
    "harm",
    [remove_all, truncate, damage_a_header, lose_a_file, damage_the_manifest, hold_nothing],
    ids=lambda harm: harm.__name__,
)
def test_files_that_cannot_be_used_are_made_anew_and_the_run_ends_as_undisturbed(market, undisturbed, harm):
    harm(index_store(market.settings))
    assert set(held(open_index(market, datetime.now(UTC)))) == compared_names(market)
    harm(index_store(market.settings))
    assert compare_new_pictures(market, datetime.now(UTC)) == {"compared": 2, "alike": 2}
    assert knowledge(market) == undisturbed
    assert len(held(open_index(market, datetime.now(UTC)))) == 5


def test_a_picture_that_left_the_catalog_is_not_known_any_more(market):
    gone = held(open_index(market, datetime.now(UTC)))[1]
    with market.catalog.write() as connection:
        forget_pictures(connection, [gone], TIE_LIMITS)
    assert set(held(open_index(market, datetime.now(UTC)))) == compared_names(market)
    assert gone not in held(open_index(market, datetime.now(UTC)))


def test_another_catalog_of_as_many_pictures_in_its_place_is_noticed(market, tmp_path):
    other = post(tmp_path / "other", [as_file(photo(number).resize((200, 150))) for number in (7, 8, 9)])
    compare_new_pictures(other, datetime.now(UTC))
    mine, theirs = index_store(market.settings).folder, index_store(other.settings).folder
    shutil.rmtree(theirs)
    shutil.copytree(mine, theirs)
    assert set(held(open_index(other, datetime.now(UTC)))) == compared_names(other)


def test_two_catalogs_in_one_home_never_share_files(market, tmp_path, monkeypatch):
    monkeypatch.setenv("SEENBEFORE_CATALOG_URL", f"sqlite:///{tmp_path / 'second.sqlite'}")
    second = post(market.settings.home, [as_file(photo(9).resize((200, 150)))])
    assert second.settings.home == market.settings.home
    compare_new_pictures(second, datetime.now(UTC))
    assert set(held(open_index(second, datetime.now(UTC)))) == compared_names(second)
    assert len(held(open_index(market, datetime.now(UTC)))) == 3


def test_pictures_of_another_recipe_are_not_known(market, monkeypatch):
    monkeypatch.setattr(picture_index, "RECIPE", "seenbefore-0 of last year")
    assert held(open_index(market, datetime.now(UTC))) == []
    monkeypatch.undo()
    assert len(held(open_index(market, datetime.now(UTC)))) == 3


def test_a_run_that_is_killed_before_it_keeps_its_pairs_is_repaired_by_the_next(market, undisturbed, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(match_pictures, "save_alike", killed)
    with pytest.raises(KeyboardInterrupt):
        compare_new_pictures(market, datetime.now(UTC))
    files = segments(market)
    monkeypatch.undo()
    assert len(held(open_index(market, datetime.now(UTC)))) == 5
    assert segments(market) == files
    assert compare_new_pictures(market, datetime.now(UTC)) == {"compared": 2, "alike": 2}
    assert knowledge(market) == undisturbed
    assert len(held(open_index(market, datetime.now(UTC)))) == 5


def test_a_run_that_is_killed_while_it_makes_the_files_anew_is_repaired_by_the_next(market, undisturbed, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    truncate(index_store(market.settings))
    monkeypatch.setattr(picture_index, "_part", killed)
    with pytest.raises(KeyboardInterrupt):
        compare_new_pictures(market, datetime.now(UTC))
    monkeypatch.undo()
    assert compare_new_pictures(market, datetime.now(UTC)) == {"compared": 2, "alike": 2}
    assert knowledge(market) == undisturbed


def test_pictures_compared_a_few_at_a_time_make_the_same_pairs(market, undisturbed, monkeypatch):
    monkeypatch.setattr(match_pictures, "COMPARED_AT_ONCE", 1)
    monkeypatch.setattr(picture_index, "PART_PICTURES", 2)
    remove_all(index_store(market.settings))
    assert compare_new_pictures(market, datetime.now(UTC)) == {"compared": 2, "alike": 2}
    assert knowledge(market) == undisturbed


def test_what_was_opened_keeps_answering_while_others_add_merge_and_remove(market):
    opened = open_index(market, datetime.now(UTC))
    index_with(market, waiting(market), datetime.now(UTC))
    store = index_store(market.settings)
    store.rebuild([picture_index.merge(store.open().parts)], now=datetime.now(UTC))
    rebuild_index(market, datetime.now(UTC))
    assert store.sweep(now=datetime.now(UTC) + 2 * GRACE) > 0
    assert len(held(opened)) == 3
    assert len(held(open_index(market, datetime.now(UTC)))) == 3


def test_whoever_looks_while_a_run_adds_to_both_makes_nothing_anew(market, monkeypatch):
    make, done = picture_index.collection, []

    def opened(parts, read):
        """Open the files, and let a run add its pictures to them and keep what it found, right after."""
        found = make(parts, read)
        if not done:
            done.append(True)
            compare_new_pictures(market, datetime.now(UTC))
        return found

    monkeypatch.setattr(SegmentStore, "rebuild", lambda *_, **__: pytest.fail("the files were made anew"))
    monkeypatch.setattr(picture_index, "collection", opened)
    assert len(held(open_index(market, datetime.now(UTC)))) == 5


def test_nothing_is_added_to_files_that_somebody_made_anew_in_between(market, undisturbed, monkeypatch):
    make_part = picture_index._part

    def meanwhile(context, prints, *, first):
        monkeypatch.undo()
        rebuild_index(context, datetime.now(UTC))
        return make_part(context, prints, first=first)

    monkeypatch.setattr(picture_index, "_part", meanwhile)
    with pytest.raises(SegmentsError):
        compare_new_pictures(market, datetime.now(UTC))
    assert compare_new_pictures(market, datetime.now(UTC)) == {"compared": 2, "alike": 2}
    assert knowledge(market) == undisturbed


def test_many_small_runs_leave_few_files_and_old_ones_are_removed(market, monkeypatch):
    names = held(open_index(market, datetime.now(UTC)))
    for number in range(2 * FEWEST):
        post(market.settings.home, [as_file(ORIGINALS[2].crop((0, 0, 300 - number, 200)))], since=10 + number)
        compare_new_pictures(market, datetime.now(UTC))
    store = index_store(market.settings)
    assert len(store.open().parts) < 2 * FEWEST
    late = datetime.now(UTC) + GRACE + timedelta(minutes=1)
    store.sweep(now=late)
    assert len(segments(market)) == len(store.open().parts)
    assert set(names) < set(held(open_index(market, datetime.now(UTC))))


def test_sketches_are_read_by_picture_and_those_of_another_recipe_are_none(market, monkeypatch):
    names = held(open_index(market, datetime.now(UTC)))
    assert set(read_sketches(market, [*names, "f" * 64])) == set(names)
    monkeypatch.setattr(picture_index, "RECIPE", "another")
    assert read_sketches(market, names) == {}


def test_pairs_say_how_the_pictures_lie_in_each_other(market):
    compare_new_pictures(market, datetime.now(UTC))
    with market.catalog.read() as connection:
        pairs = read_frame(connection, select(alike))
    assert len(pairs) == 2
    assert (pairs["matched_points"] > 10).all()
    assert pairs[["common_area", "other_common_area"]].to_numpy() == pytest.approx(1.0, abs=0.05)
