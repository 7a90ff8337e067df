"""Earlier sightings under other parties: against a slow oracle, by example, and on a hub picture."""

import itertools
import resource
import time

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.facts import DISTANCE_COLUMNS, MATCH_COLUMNS, NEAR_DUPLICATE_COLUMNS, SELLER_COLUMNS, SIGHTING_COLUMNS
from features.sightings.earlier_sightings import earlier_sightings
from features.sightings.evidence import SAME_PHOTO
from tests.features.point_in_time.worlds import START, day, typed
from tests.full_run import often


def sighting(image, listing, seller, observed, created=None):
    return (image, listing, seller, 0, day(observed), day(observed if created is None else created))


def sightings_frame(rows):
    return typed(rows, SIGHTING_COLUMNS)


def sellers_frame(rows):
    """Rows of (seller, observed, group)."""
    return typed([(seller, day(on), None, None, None, None, group) for seller, on, group in rows], SELLER_COLUMNS)


def alike_frame(rows):
    """Rows of (image, other image, distance, same_photo)."""
    return typed([(a, b, *[distance] * 5, "crop", same) for a, b, distance, same in rows], NEAR_DUPLICATE_COLUMNS)


def different_frame(rows):
    """Rows of (image, other image, day from which on they are known to be different photos)."""
    known_at = pd.Series([day(on) for *_, on in rows], dtype="datetime64[us, UTC]")
    pairs = pd.DataFrame([pair for *pair, _ in rows], columns=["image_id", "other_image_id"], dtype="str")
    return pairs.assign(known_at=known_at)


NEVER = pd.Timestamp.max.tz_localize("UTC")


def group_as_of(sellers, seller, moment):
    known = sellers[(sellers["seller_key"] == seller) & (sellers["observed_at"] <= moment)]
    return None if known.empty else known.sort_values("observed_at")["group_id"].iloc[-1]


def when(sighting):
    return sighting.observed_at, sighting.created_at


def order(sighting):
    return (*when(sighting), sighting.listing_key)


def first_of_each_seller(sightings):
    firsts = {}
    for sighting in sorted(sightings, key=order):
        firsts.setdefault(sighting.seller_key, sighting)
    return list(firsts.values())


def records(sightings, image):
    """Sightings that were posted earlier than all that were seen before of the same seller, as they became known."""
    earliest = {}
    for sighting in sorted(sightings.itertuples(), key=order):
        if sighting.image_id == image and sighting.created_at < earliest.get(sighting.seller_key, NEVER):
            earliest[sighting.seller_key] = sighting.created_at
            yield sighting


def denied_at(denied, image, other):
    return denied.get(tuple(sorted((image, other))), NEVER)


def row(mine, first, others, distances, edit, same):
    return (
        mine.listing_key, mine.image_id, mine.seller_key, mine.observed_at,
        first.listing_key, first.image_id, first.seller_key, first.observed_at, first.created_at,
        *distances, edit, same, len({other.seller_key for other in others}), len(others),
    )  # fmt: skip


def oracle(own, alike, sightings, sellers, different):
    """Say it once more, slowly and plainly."""
    matches = []
    denied = {(pair.image_id, pair.other_image_id): pair.known_at for pair in different.itertuples()}
    for mine in own.itertuples():
        partners = [(mine.image_id, (0.0,) * 5, "none", 1.0)]
        for pair in alike.itertuples():
            if denied_at(denied, pair.image_id, pair.other_image_id) <= mine.observed_at:
                continue
            distances = tuple(getattr(pair, column) for column in DISTANCE_COLUMNS)
            if pair.image_id == mine.image_id:
                partners.append((pair.other_image_id, distances, pair.edit, pair.same_photo))
            if pair.other_image_id == mine.image_id:
                partners.append((pair.image_id, distances, pair.edit, pair.same_photo))
        group = group_as_of(sellers, mine.seller_key, mine.observed_at)
        earlier_of = {
            image: [other for other in sightings.itertuples() if other.image_id == image and when(other) < when(mine)]
            for image, *_ in partners
        }

        def foreign(other, mine=mine, group=group):
            of_group = pd.notna(group) and group_as_of(sellers, other.seller_key, mine.observed_at) == group
            return other.seller_key != mine.seller_key and not of_group

        own_showings, own_postings = [], [mine.created_at]
        for image, _, _, same in partners:
            if same < SAME_PHOTO:
                continue
            theirs_so_far = [
                other
                for other in sightings.itertuples()
                if other.image_id == image and other.seller_key == mine.seller_key and when(other) <= when(mine)
            ]
            own_postings += [other.created_at for other in theirs_so_far]
            own_showings += [when(other) for other in theirs_so_far if when(other) < when(mine)]
            for other in first_of_each_seller(earlier_of[image]):
                if foreign(other):
                    break
                own_showings.append(when(other))
                own_postings.append(other.created_at)
        late = []
        for image, distances, edit, same in partners:
            others = [other for other in earlier_of[image] if other.seller_key != mine.seller_key]
            candidates = [other for other in others if foreign(other)]
            first = min(candidates, key=order, default=None)
            if first is not None and not any(shown <= when(first) for shown in own_showings):
                matches.append(row(mine, first, others, distances, edit, same))
            elif same >= SAME_PHOTO:
                since, posted = min([when(mine), *own_showings]), min(own_postings)
                for other in records(sightings, image):
                    if when(other) > since and other.created_at < posted:
                        if foreign(other):
                            late.append((*order(other), image, other, distances, edit, same))
                            break
                        posted = other.created_at
                if late and late[-1][3] == image and denied_at(denied, mine.image_id, image) <= late[-1][0]:
                    late.pop()
        if late:
            *_, first, distances, edit, same = min(late, key=lambda named: named[:4])
            by_then = [
                other
                for other in sightings.itertuples()
                if other.image_id == first.image_id
                and other.seller_key != mine.seller_key
                and (when(other) < when(mine) or when(other) <= when(first))
            ]
            matches.append(row(mine, first, by_then, distances, edit, same))
    return sorted(matches, key=lambda match: (match[0], match[1], match[5]))


def as_tuples(matches):
    return list(matches.itertuples(index=False, name=None))


IMAGES = "abcd"
few_days = st.integers(0, 4)


@st.composite
def small_markets(draw):
    # One listing belongs to one seller, and shows a picture at most once.
    owners = draw(st.lists(st.integers(1, 4), min_size=1, max_size=7))
    rows = draw(
        st.lists(
            st.tuples(st.sampled_from(IMAGES), st.integers(0, len(owners) - 1), few_days, few_days),
            unique_by=lambda row: row[:2],
            max_size=14,
        )
    )
    sightings = sightings_frame([sighting(i, 10 + n, owners[n], seen, made) for i, n, seen, made in rows])
    versions = draw(
        st.lists(
            st.tuples(st.integers(1, 4), few_days, st.sampled_from([None, "g", "h"])),
            unique_by=lambda version: version[:2],
            max_size=8,
        )
    )
    pairs = draw(st.sets(st.sampled_from(list(itertools.combinations(IMAGES, 2)))))
    alike = alike_frame([(a, b, float(n), 0.3 * n) for n, (a, b) in enumerate(sorted(pairs))])
    chosen = draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    own = sightings[pd.Series(chosen, dtype=bool)].reset_index(drop=True)
    denied = draw(st.dictionaries(st.sampled_from(list(itertools.combinations(IMAGES, 2))), few_days, max_size=4))
    different = different_frame([(*pair, on) for pair, on in denied.items()])
    return own, alike, sightings, sellers_frame(versions), different


@settings(max_examples=often(in_full=200, otherwise=60), deadline=None)
@given(small_markets())
def test_matches_are_those_of_the_slow_oracle(market):
    assert as_tuples(earlier_sightings(*market)) == oracle(*market)
    assert as_tuples(earlier_sightings(*market[:4])) == oracle(*market[:4], different_frame([]))


@settings(max_examples=50, deadline=None)
@given(small_markets(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(market, random):
    shuffled = [frame.sample(frac=1, random_state=random.randrange(1000)) for frame in market]
    pd.testing.assert_frame_equal(earlier_sightings(*shuffled), earlier_sightings(*market))


def matches_of(rows, alike=(), sellers=(), own_listing=2, different=()):
    sightings = sightings_frame(rows)
    own = sightings[sightings["listing_key"] == own_listing]
    denied = different_frame(list(different))
    return earlier_sightings(own, alike_frame(list(alike)), sightings, sellers_frame(list(sellers)), denied)


def test_the_copy_points_to_the_original_and_never_the_other_way_round():
    rows = [sighting("a", 1, 1, 0), sighting("a", 2, 2, 3)]
    assert matches_of(rows, own_listing=2)["other_listing_key"].tolist() == [1]
    assert matches_of(rows, own_listing=1).empty


def test_a_tie_in_both_clocks_has_no_direction():
    assert matches_of([sighting("a", 1, 1, 3, 3), sighting("a", 2, 2, 3, 3)]).empty


def test_what_was_seen_at_the_same_time_is_ordered_by_when_it_was_posted():
    rows = [sighting("a", 1, 1, 3, 1), sighting("a", 2, 2, 3, 2)]
    assert matches_of(rows, own_listing=2)["other_listing_key"].tolist() == [1]
    assert matches_of(rows, own_listing=1).empty


def test_accounts_of_one_business_do_not_copy_each_other_once_that_is_known():
    rows = [sighting("a", 1, 1, 0), sighting("a", 2, 2, 3)]
    assert matches_of(rows, sellers=[(1, 0, "g"), (2, 0, "g")]).empty
    assert len(matches_of(rows, sellers=[(1, 0, "g"), (2, 4, "g")])) == 1


def test_an_own_relisting_hides_nobody_who_was_earlier_still():
    rows = [sighting("a", 1, 1, 0), sighting("a", 3, 2, 1), sighting("a", 2, 2, 3)]
    match = matches_of(rows).iloc[0]
    assert (match["other_listing_key"], match["sellers_sharing"], match["sightings"]) == (1, 1, 1)


def test_who_was_copied_and_posts_again_has_not_copied():
    for own_image, stolen_image in [("a", "a"), ("b", "a"), ("a", "b"), ("b", "c")]:
        alike = [("a", "b", 2.0, 0.9), ("a", "c", 2.0, 0.9), ("b", "c", 2.0, 0.9)]
        rows = [sighting("a", 3, 2, 0), sighting(stolen_image, 1, 1, 1), sighting(own_image, 2, 2, 3)]
        assert matches_of(rows, alike).empty
        assert len(matches_of(rows, alike, own_listing=1)) == 1


def test_who_was_copied_and_posts_again_under_another_account_of_the_business_has_not_copied():
    rows = [sighting("a", 3, 3, 0), sighting("a", 1, 1, 1), sighting("a", 2, 2, 3)]
    assert len(matches_of(rows)) == 1
    assert matches_of(rows, sellers=[(2, 0, "g"), (3, 0, "g")]).empty


def test_an_own_picture_that_merely_looks_alike_excuses_nothing():
    rows = [sighting("b", 3, 2, 0), sighting("a", 1, 1, 1), sighting("a", 2, 2, 3)]
    assert len(matches_of(rows, [("a", "b", 9.0, 0.4)])) == 1


def test_a_partner_is_found_from_either_side_of_the_pair():
    for own_image, other_image in [("a", "b"), ("b", "a")]:
        rows = [sighting(other_image, 1, 1, 0), sighting(own_image, 2, 2, 3)]
        match = matches_of(rows, alike=[("a", "b", 6.0, 0.8)]).iloc[0]
        assert (match["other_image_id"], match["distance_phash"], match["same_photo"]) == (other_image, 6.0, 0.8)


def test_pictures_that_are_known_to_be_different_photos_are_no_match_from_then_on_and_not_before():
    rows = [sighting("b", 1, 1, 0), sighting("a", 2, 2, 3), sighting("a", 3, 3, 2)]
    alike = [("a", "b", 6.0, 0.8), ("a", "c", 6.0, 0.8)]
    for known_on, expected in [(3, []), (4, [1]), (0, [])]:
        found = matches_of(rows[:2], alike, different=[("a", "b", known_on)])
        assert found["other_listing_key"].tolist() == expected
    assert matches_of(rows[:2], alike, different=[("a", "c", 0)])["other_listing_key"].tolist() == [1]
    itself = matches_of(rows, alike, different=[("a", "b", 0)])
    assert itself["other_image_id"].tolist() == ["a"]


def test_a_different_photo_excuses_nothing():
    rows = [sighting("b", 3, 2, 0), sighting("a", 1, 1, 1), sighting("a", 2, 2, 3)]
    alike = [("a", "b", 2.0, 0.9)]
    assert matches_of(rows, alike).empty
    assert matches_of(rows, alike, different=[("a", "b", 2)])["other_listing_key"].tolist() == [1]


def test_no_sightings_give_no_matches_with_all_columns():
    nothing = earlier_sightings(sightings_frame([]), alike_frame([]), sightings_frame([]), sellers_frame([]))
    assert list(nothing.columns) == list(MATCH_COLUMNS)
    assert nothing.empty
    assert nothing["observed_at"].dtype == "datetime64[us, UTC]"
    assert nothing["sightings"].dtype == "int64"


def placeholder_everywhere(listings, accounts):
    numbers = pd.Series(range(listings))
    times = (START + pd.to_timedelta(numbers, unit="min")).astype("datetime64[us, UTC]")
    columns = {"image_id": "placeholder", "listing_key": numbers, "seller_key": numbers % accounts, "position": 0}
    return pd.DataFrame({**columns, "observed_at": times, "created_at": times})


def test_a_placeholder_in_a_hundred_thousand_listings_stays_small():
    sightings = placeholder_everywhere(100_000, accounts=50_000)
    began, before_kb = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    matches = earlier_sightings(sightings, alike_frame([]), sightings, sellers_frame([]))
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    assert len(matches) == 100_000 - 2, "all but the two postings of the account that was first"
    assert matches["sellers_sharing"].max() == 50_000 - 1
    assert matches["sightings"].max() == 100_000 - 2
    assert time.perf_counter() - began < 10
    assert grown_kb < 400_000


def test_a_banner_shared_by_one_business_of_many_accounts_is_no_match():
    sightings = placeholder_everywhere(2_000, accounts=400)
    accounts = sellers_frame([(seller, 0, "dealer") for seller in range(400)])
    assert earlier_sightings(sightings, alike_frame([]), sightings, accounts).empty
