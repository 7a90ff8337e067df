"""The synthetic market: made in memory from a seed, written as tables and picture files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from data.synthetic.entries import PictureKind
from data.synthetic.market_parties import Scenery, party_ads
from data.synthetic.merchandise import CATEGORIES
from data.synthetic.picture_files import make_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from data.synthetic.entries import Ad

CURRENCY = "EUR"
MARKETPLACE = "demo"
SECONDS_PER_DAY = 86_400
PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True)
class Market:
    """A whole market, in order of observation.

    Parameters
    ----------
    listings, sellers, labels
        As the contract has them; ``image_urls`` holds JSON lists of paths below the market's folder. Times are
        ``datetime64[us, UTC]``. Sellers stand as they were when the first listing was posted. Nothing in them is
        later than the market's last day.
    truth
        One row for each listing: ``fraud``, ``scheme``, ``origin`` of its pictures, ``edit`` done to them,
        ``low_price``, ``stolen_from`` and ``lent_by`` (JSON lists of listing ids: pictures taken, and pictures
        shown with leave), ``victim_observed_late`` (the victim was observed after this listing) and
        ``called_fraud`` (what its label says if it has one; some are wrong). Never shown to anything that judges.
    pictures
        One row for each picture (`data.synthetic.entries.PicturePlan`), and ``photo``: the photograph it is made
        from, empty where it is drawn.
    """

    listings: pd.DataFrame
    sellers: pd.DataFrame
    labels: pd.DataFrame
    truth: pd.DataFrame
    pictures: pd.DataFrame


@dataclass(frozen=True, slots=True)
class MarketFiles:
    """Where a market was written.

    Parameters
    ----------
    listings_first, listings_later
        Listings observed up to the split, and after it.
    pictures
        How many picture files there are; listings name a few more that are not there.
    """

    listings_first: Path
    listings_later: Path
    sellers: Path
    labels: Path
    truth: Path
    images: Path
    pictures: int


def make_market(*, listings: int, seed: int, start: datetime, days: int = 180, photos: Path | None = None) -> Market:
    """Make a market; the same arguments make the same one, and more listings only add to it.

    Parameters
    ----------
    listings
        How many listings; a few of the last party's may be left out to meet it.
    start
        First day, with a time zone.
    photos
        A folder of photographs to be posted instead of drawn ones, as far as they last.

    Raises
    ------
    ValueError
        If ``start`` has no time zone or there is nothing to make.
    """
    if start.tzinfo is None or listings < 1 or days < 1:
        raise ValueError(f"need an aware start and a positive size, got {start=}, {listings=}, {days=}")
    ads = _ads(listings, seed, float(days))
    pictures = _pictures_frame(ads)
    return Market(
        listings=_listings_frame(ads, start),
        sellers=_sellers_frame(ads, start),
        labels=_labels_frame(ads, start, float(days)),
        truth=_truth_frame(ads),
        pictures=pictures.assign(photo=_photos_for(pictures, photos, seed)),
    )


def write_market(
    market: Market,
    folder: Path,
    *,
    base_url: str = "",
    split_at: datetime | None = None,
    on_picture: Callable[[int], None] = lambda made: None,
) -> MarketFiles:
    """Write the tables and make the pictures.

    Parameters
    ----------
    folder
        Is made; ``images/`` in it holds the pictures.
    base_url
        Where the folder is served; goes before each path in ``image_urls``. Empty leaves paths below the folder.
    split_at
        Listings observed later go to a second table; ``None`` leaves that one empty.
    on_picture
        Told the number of pictures made so far, after each.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address = json.dumps(f"{base_url.rstrip('/')}/" if base_url else "")[:-1]
    urls = market.listings["image_urls"].str.replace('"images/', f"{address}images/", regex=False)
    listings = market.listings.assign(image_urls=urls)
    later = listings["observed_at"] > (split_at or listings["observed_at"].max())
    return MarketFiles(
        listings_first=_write(listings[~later], folder / "listings-1.csv"),
        listings_later=_write(listings[later], folder / "listings-2.csv"),
        sellers=_write(market.sellers, folder / "sellers.csv"),
        labels=_write(market.labels, folder / "labels.csv"),
        truth=_write(market.truth, folder / "truth.csv"),
        images=folder / "images",
        pictures=make_pictures(market.pictures, folder, on_picture),
    )


def _ads(listings: int, seed: int, days: float) -> list[Ad]:
    scenery, party = Scenery(days), 0
    ads: list[Ad] = []
    while len(ads) < listings:
        posted = party_ads(seed, party, scenery)
        scenery.add(posted)
        ads += posted
        party += 1
    return ads[:listings]


def _moments(days: Iterable[float], start: datetime) -> pd.DatetimeIndex:
    """Turn days since the start into UTC moments of whole seconds."""
    seconds = np.round(np.fromiter(days, float) * SECONDS_PER_DAY)
    return pd.DatetimeIndex(pd.Timestamp(start).tz_convert("UTC") + pd.to_timedelta(seconds, unit="s")).as_unit("us")


def _texts(values: Iterable[str]) -> pd.Series:
    """Hold texts of which some are left out, also where all or none of them are."""
    return pd.Series([value or None for value in values], dtype=pd.StringDtype(na_value=np.nan))


def _listings_frame(ads: Sequence[Ad], start: datetime) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "listing_id": [ad.listing_id for ad in ads],
            "seller_id": [ad.account.seller_id for ad in ads],
            "created_at": _moments((ad.created_day for ad in ads), start),
            "observed_at": _moments((ad.observed_day for ad in ads), start),
            "marketplace": MARKETPLACE,
            "image_urls": [json.dumps([picture.path for picture in ad.pictures]) for ad in ads],
            "title": [ad.title for ad in ads],
            "description": _texts(ad.description for ad in ads),
            "category": [CATEGORIES[ad.thing.category].name for ad in ads],
            "location": _texts(ad.location for ad in ads),
            "price": [ad.price for ad in ads],
            "currency": CURRENCY,
        }
    )
    return frame.sort_values(["observed_at", "listing_id"], ignore_index=True)


def _sellers_frame(ads: Sequence[Ad], start: datetime) -> pd.DataFrame:
    firsts = list({ad.account.seller_id: ad for ad in reversed(ads)}.values())
    accounts = [ad.account for ad in firsts]
    frame = pd.DataFrame(
        {
            "seller_id": [account.seller_id for account in accounts],
            "joined_at": _moments((account.joined_day for account in accounts), start),
            "feedback_count": [account.feedback_count for account in accounts],
            "rating": [account.rating for account in accounts],
            "country": [account.country for account in accounts],
            "group_id": _texts(account.group_id for account in accounts),
            "marketplace": MARKETPLACE,
            "observed_at": _moments((ad.created_day for ad in firsts), start),
        }
    )
    return frame.sort_values(["observed_at", "seller_id"], ignore_index=True)


def _labels_frame(ads: Sequence[Ad], start: datetime, days: float) -> pd.DataFrame:
    labelled = [ad for ad in ads if ad.labelled_day <= days]
    frame = pd.DataFrame(
        {
            "listing_id": [ad.listing_id for ad in labelled],
            "label": ["fraud" if ad.called_fraud else "legit" for ad in labelled],
            "labelled_at": _moments((ad.labelled_day for ad in labelled), start),
            "marketplace": MARKETPLACE,
            "source": "complaints",
        }
    )
    return frame.sort_values(["labelled_at", "listing_id"], ignore_index=True)


def _truth_frame(ads: Sequence[Ad]) -> pd.DataFrame:
    observed = {ad.listing_id: ad.observed_day for ad in ads}
    frame = pd.DataFrame(
        {
            "listing_id": [ad.listing_id for ad in ads],
            "fraud": [ad.fraud for ad in ads],
            "scheme": [str(ad.scheme) for ad in ads],
            "origin": [str(ad.origin) for ad in ads],
            "edit": [str(ad.edit) for ad in ads],
            "low_price": [ad.low_price for ad in ads],
            "stolen_from": [json.dumps(ad.stolen_from) for ad in ads],
            "lent_by": [json.dumps(ad.lent_by) for ad in ads],
            "called_fraud": [ad.called_fraud for ad in ads],
            "victim_observed_late": [
                any(observed[victim] > ad.observed_day for victim in ad.stolen_from) for ad in ads
            ],
        }
    )
    return frame.sort_values("listing_id", ignore_index=True)


def _pictures_frame(ads: Sequence[Ad]) -> pd.DataFrame:
    return pd.DataFrame([asdict(picture) for ad in ads for picture in ad.pictures])


def _photos_for(pictures: pd.DataFrame, photos: Path | None, seed: int) -> pd.Series:
    """Give each picture taken with a camera the next photograph, in an order drawn from the seed."""
    files = [] if photos is None else [file for file in photos.rglob("*") if file.suffix.lower() in PHOTO_SUFFIXES]
    shuffled = np.random.default_rng(seed).permutation(np.array(sorted(map(str, files)), dtype=object))
    number = (pictures["kind"] == PictureKind.PHOTO).cumsum() - 1
    given = (pictures["kind"] == PictureKind.PHOTO) & (number < len(shuffled))
    chosen = pd.Series("", index=pictures.index, dtype=object)
    chosen[given] = shuffled[number[given]]
    return chosen


def _write(frame: pd.DataFrame, file: Path) -> Path:
    times = frame.select_dtypes("datetimetz").columns
    texts = {column: frame[column].dt.strftime("%Y-%m-%dT%H:%M:%SZ") for column in times}
    frame.assign(**texts).to_csv(file, index=False, lineterminator="\n")
    return file
