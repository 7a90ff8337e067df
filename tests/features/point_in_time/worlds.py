"""Small markets as frames of facts, written by hand or drawn by Hypothesis."""

import itertools
from dataclasses import dataclass, field

import pandas as pd
from hypothesis import strategies as st

from features.facts import (
    DISTANCE_COLUMNS,
    FINGERPRINT_COLUMNS,
    HASH_KINDS,
    LABEL_COLUMNS,
    LISTING_COLUMNS,
    LOW_INFORMATION,
    NEAR_DUPLICATE_COLUMNS,
    OTHER_PHOTO_COLUMNS,
    PRODUCT_MODEL_COLUMNS,
    SELLER_COLUMNS,
    SIGHTING_COLUMNS,
    TAKEN_COLUMNS,
    TEXT_COLUMNS,
    VERSION_COLUMNS,
    Facts,
)
from features.point_in_time.listing_features import text_bands
from features.point_in_time.price_features import CATEGORY, product_models_of, usual_prices
from features.sightings.earlier_sightings import earlier_sightings
from features.sightings.evidence import SAME_PHOTO

START = pd.Timestamp("2026-01-01", tz="UTC")
KEYS = (
    "listing_key", "seller_key", "other_seller_key", "position", "width", "height", "sellers_showing", "band",
    "goods",
)  # fmt: skip
TIMES = ("observed_at", "created_at", "joined_at", "known_at", "as_of", "other_observed_at", "denied_at")
MEASURES = (*DISTANCE_COLUMNS, "same_photo", "price", "feedback_count", "rating", "information")


def day(number):
    return START + pd.Timedelta(days=number)


def typed(rows, columns):
    """A frame with the dtypes that `features.facts` promises, with or without rows."""
    frame = pd.DataFrame(rows, columns=list(columns))
    kinds = {}
    for column in columns:
        if column in KEYS:
            kinds[column] = "int64"
        elif column in TIMES:
            kinds[column] = "datetime64[us, UTC]"
        elif column in MEASURES:
            kinds[column] = "float64"
        elif column in HASH_KINDS:
            kinds[column] = "uint64"
        else:
            kinds[column] = "str"
    return frame.astype(kinds)


def moments(*pairs):
    return typed([(listing, day(number)) for listing, number in pairs], ("listing_key", "as_of"))


@dataclass
class Market:
    """Rows as they are told; `facts` derives matches and prices from them."""

    listings: list = field(default_factory=list)
    sellers: list = field(default_factory=list)
    sightings: list = field(default_factory=list)
    information: dict = field(default_factory=dict)
    pairs: list = field(default_factory=list)
    denied: dict = field(default_factory=dict)
    labels: list = field(default_factory=list)
    owner: dict = field(default_factory=dict)

    def listing(self, key, seller, on, photos="", *, created=None, **said):
        """A version of a listing; every letter of ``photos`` is a picture first known then."""
        self.owner[key] = seller
        stated = {"marketplace": "m", "title": "plain oak chair", "category": "home", "currency": "EUR", **said}
        head = (key, seller, day(on), day(on if created is None else created))
        self.listings.append((*head, *(stated.get(column) for column in LISTING_COLUMNS[4:])))
        for image in photos:
            self.photo(image, key, on, created)
        return self

    def photo(self, image, listing, on, created=None):
        made = day(on if created is None else created)
        self.sightings.append((image, listing, self.owner[listing], 0, day(on), made))
        return self

    def seller(self, key, on=0, joined=None, feedback=None, rating=None, group=None):
        joined_at = None if joined is None else day(joined)
        self.sellers.append((key, day(on), joined_at, feedback, rating, None, group))
        return self

    def alike(self, image, other, distance, same_photo):
        self.pairs.append((*sorted((image, other)), *[distance] * 5, "crop", same_photo))
        return self

    def label(self, listing, label, on):
        self.labels.append((listing, self.owner[listing], label, day(on)))
        return self

    def facts(self, until=None):
        """Everything told, or only what was observed up to and including day ``until``."""
        listings = typed(self.listings, LISTING_COLUMNS)
        sellers = typed(self.sellers, SELLER_COLUMNS)
        sightings = typed(self.sightings, SIGHTING_COLUMNS)
        labels = typed(self.labels, LABEL_COLUMNS)
        if until is not None:
            listings, sellers, sightings = (
                rows[rows["observed_at"] <= day(until)] for rows in (listings, sellers, sightings)
            )
            labels = labels[labels["known_at"] <= day(until)]
        fingerprints = self.fingerprints(sightings["image_id"].unique())
        matches = earlier_sightings(sightings, typed(self.pairs, NEAR_DUPLICATE_COLUMNS), sightings, sellers)
        others = sightings[sightings["listing_key"].isin(matches["other_listing_key"])]
        other_photos = others.merge(fingerprints, on="image_id", how="left")[list(OTHER_PHOTO_COLUMNS)]
        return Facts(
            listings=listings,
            sellers=sellers,
            sightings=sightings,
            fingerprints=fingerprints,
            matches=matches,
            other_photos=other_photos.astype({"width": "float64", "height": "float64"}),
            versions=self.versions(sightings),
            labels=labels,
            prices=usual_prices_by_day(listings),
            product_models=asked_for_goods(listings),
            taken=taken_photos(matches, fingerprints),
            texts=shown_texts(listings),
        )

    def versions(self, sightings):
        """Alike pictures of one listing, and since when they are known to be different photos."""
        shown = sightings.groupby("listing_key")["image_id"].agg(set)
        rows = [
            (listing, pair[0], pair[1], pair[-1], self.denied.get((pair[0], pair[1])))
            for listing, images in shown.items()
            for pair in self.pairs
            if {pair[0], pair[1]} <= images
        ]
        return typed(rows, VERSION_COLUMNS)

    def fingerprints(self, images):
        """Pictures are readable and full of information unless ``information`` says otherwise (None: unreadable)."""
        known = [(image, self.information.get(image, 5.0)) for image in images]
        rows = [(image, 640, 480, "JPEG", *[0] * 5, bits) for image, bits in known if bits is not None]
        return typed(rows, FINGERPRINT_COLUMNS)


def usual_prices_by_day(listings, days=200):
    """The usual price of every kind of goods at the beginning of every day that tests look at."""
    said = listings[listings["category"].notna()].fillna({"currency": ""})
    kinds = said[CATEGORY].drop_duplicates(ignore_index=True)
    prices = said.merge(kinds.reset_index(names="kind"), on=CATEGORY)
    return usual_prices(kinds, pd.Series([day(number) for number in range(days)]).dt.floor("D"), prices)


def asked_for_goods(listings):
    """What was ever asked for every model of goods."""
    asked = listings.assign(goods=product_models_of(listings))
    asked = asked[asked["goods"].notna() & (asked["price"] > 0)]
    return typed(asked[list(PRODUCT_MODEL_COLUMNS)], PRODUCT_MODEL_COLUMNS)


def taken_photos(matches, fingerprints):
    """The first time each seller took each photo, without any bound on how many."""
    informative = fingerprints.loc[fingerprints["information"] >= LOW_INFORMATION, "image_id"]
    same = matches[(matches["same_photo"] >= SAME_PHOTO) & matches["image_id"].isin(informative)]
    same = same.assign(known_at=same[["observed_at", "other_observed_at"]].max(axis="columns"))
    rows = []
    for row in same.sort_values(["known_at", "listing_key", "image_id"]).itertuples():
        by_then = same[
            (same["listing_key"] == row.listing_key)
            & (same["image_id"] == row.image_id)
            & (same["known_at"] <= row.known_at)
        ]
        showing = max(by_then["sellers_sharing"].max(), by_then["other_seller_key"].nunique())
        rows.append((row.seller_key, row.other_image_id, row.other_seller_key, row.known_at, showing))
    return typed(rows, TAKEN_COLUMNS).drop_duplicates(["seller_key", "other_image_id"], ignore_index=True)


def shown_texts(listings):
    """Who showed each band of each version's text, and since when."""
    bands = text_bands(listings["title"], listings["description"])
    own = listings[["listing_key", "observed_at", "seller_key"]].join(bands)
    own = own.melt(["listing_key", "observed_at", "seller_key"], value_name="band").dropna(subset="band")
    firsts = own.groupby(["band", "seller_key"])["observed_at"].min().reset_index()
    firsts.columns = ["band", "other_seller_key", "other_observed_at"]
    shown = own.merge(firsts, on="band")
    shared = shown.groupby("band")["other_seller_key"].transform("nunique") > 1
    return typed(shown[shared][list(TEXT_COLUMNS)], TEXT_COLUMNS)


IMAGES = "abcde"
LAST_DAY = 6
TEXTS = (
    "a chair that my grandmother sat in, of oak, with two small scratches on the left side",
    "four plates and a bowl from the market in the old town, never used since we moved",
)
half_days = st.integers(0, 2 * LAST_DAY).map(lambda halves: halves / 2)


@st.composite
def markets(draw):
    """A few sellers, some of one group, with listings, versions, photos, alike pairs and labels in six days."""
    market = Market()
    for image in IMAGES:
        market.information[image] = draw(st.sampled_from([5.0, 5.0, 5.0, 0.1, None]))
    versions = st.tuples(st.integers(1, 3), half_days)
    for seller, on in draw(st.lists(versions, unique=True, min_size=2, max_size=6)):
        group = draw(st.sampled_from([None, "g"]))
        market.seller(seller, on, joined=draw(st.sampled_from([None, -100, 0.5])), feedback=on * 3, group=group)
    for key in range(10, 10 + draw(st.integers(1, 5))):
        _draw_listing(draw, market, key)
    _draw_prices_of_a_shop(draw, market)
    for pair in draw(st.sets(st.sampled_from(list(itertools.combinations(IMAGES, 2))), max_size=4)):
        market.alike(*pair, draw(st.integers(0, 12)), draw(st.sampled_from([0.2, 0.5, 0.9])))
    decisions = st.tuples(st.sampled_from(sorted(market.owner)), st.sampled_from(["fraud", "legit"]), half_days)
    for listing, label, on in draw(st.lists(decisions, max_size=5)):
        market.label(listing, label, on)
    return market


def _draw_listing(draw, market, key):
    seller = draw(st.integers(1, 3))
    for on in sorted(draw(st.sets(half_days, min_size=1, max_size=3))):
        market.listing(
            key,
            seller,
            on,
            created=draw(half_days),
            price=draw(st.sampled_from([None, 0.0, 10.0, 12.5, 80.0])),
            category=draw(st.sampled_from([None, "home", "home", "toys"])),
            location=draw(st.sampled_from([None, "here", "there"])),
            description=draw(st.sampled_from([None, *TEXTS])),
        )
    first = min(row[2] for row in market.listings if row[0] == key)
    for image in draw(st.sets(st.sampled_from(IMAGES), max_size=3)):
        on = max(draw(half_days), (first - START) / pd.Timedelta(days=1))
        market.photo(image, key, on, created=draw(half_days))


def _draw_prices_of_a_shop(draw, market):
    for number, price in enumerate(draw(st.lists(st.integers(5, 50), max_size=8))):
        market.listing(100 + number, 9, draw(half_days), price=float(price))
