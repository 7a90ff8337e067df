"""How one party (a person, a business, a ring) behaves: opens accounts, posts, takes or reuses pictures.

Every party has its own random generator, and takes pictures only from parties before it: a larger market with the
same seed holds the smaller one unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from data.synthetic.drafts import Desk, draft, weighted
from data.synthetic.entries import Account, Ad, Fate, opaque_id
from data.synthetic.merchandise import PLACES, rounded_price
from data.synthetic.schemes import CAST, Origin, Role, Scheme

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from data.synthetic.entries import PicturePlan

COUNTRIES: Mapping[str, float] = {"DE": 0.3, "FR": 0.2, "IT": 0.15, "PL": 0.15, "PT": 0.1, "GB": 0.1}
BURST_DAYS = 2.0
MOST_LENDERS = 3
# Median and spread (of the logarithm) of an account's age at its first listing.
YOUNG_AGE_DAYS, OLD_AGE_DAYS = (45.0, 1.0), (650.0, 0.8)
DAYS_PER_FEEDBACK = 40.0
LONGEST_FEEDBACK_DAYS = 3000.0
NO_FEEDBACK = 0.2
LATE_CRAWLED_PARTIES = 0.08
LATE_CRAWL_DAYS = (6.0, 40.0)
USUAL_CRAWL_DAYS = 0.15
# Some thieves take what is so fresh that we have not seen it yet.
EARLY_THEFT = 0.1
THEFT_REACH_DAYS = 90.0
LENT_AFTER_DAYS = 0.02
LABELLED_FRAUD, LABELLED_LEGIT = 0.7, 0.4
LABEL_DELAY_DAYS = {True: 6.0, False: 9.0}
# Some decisions take months, and some are wrong: frauds that talked their way out, and honest people complained about.
LATE_LABELS, LATE_LABEL_DAYS = 0.15, 45.0
WRONG_LABEL = {True: 0.04, False: 0.006}
# Who is called a fraud is mostly shut out: few accounts go on with a confirmed fraud behind them.
SHUT_OUT = 0.75
LACKS_PRICE, LACKS_DESCRIPTION, LACKS_LOCATION = 0.03, 0.1, 0.08
DEAD_PICTURES = 0.012
# One picture of so many is cut off, and one is an error page that calls itself a picture.
BROKEN_EVERY, TRUNCATED_AT, PAGE_AT = 1500, 60, 200


@dataclass(slots=True)
class Scenery:
    """What stands in the market before the next party comes."""

    days: float
    pictures: int = 0
    honest: list[Ad] = field(default_factory=list)
    sellers: list[str] = field(default_factory=list)
    created_days: list[float] = field(default_factory=list)
    observed_days: list[float] = field(default_factory=list)

    def add(self, ads: list[Ad]) -> None:
        """Let later parties see these listings."""
        self.pictures += sum(len(ad.pictures) for ad in ads)
        shown = [ad for ad in ads if not ad.fraud and ad.origin is Origin.CAMERA and ad.served]
        self.honest += shown
        self.sellers += [ad.account.seller_id for ad in shown]
        self.created_days += [ad.created_day for ad in shown]
        self.observed_days += [ad.observed_day for ad in shown]

    def owner_for(self, day: float, sellers: Set[str], rng: np.random.Generator) -> Ad | None:
        """Choose whose pictures are lent on a day: those of these sellers if they have any, or anybody's."""
        created = np.asarray(self.created_days)
        recent = np.flatnonzero((created < day - LENT_AFTER_DAYS) & (created > day - THEFT_REACH_DAYS))
        known = [place for place in recent if self.sellers[place] in sellers]
        candidates = known or recent
        return self.honest[int(rng.choice(candidates))] if len(candidates) else None

    def victim_for(self, day: float, rng: np.random.Generator) -> Ad | None:
        """Choose whose pictures are taken on a day; ``None`` where there is nobody yet."""
        created, observed = np.asarray(self.created_days), np.asarray(self.observed_days)
        recent = (created < day - 0.02) & (created > day - THEFT_REACH_DAYS)
        unseen = recent & (observed > day + 1.0)
        early = rng.random() < EARLY_THEFT and unseen.any()
        candidates = np.flatnonzero(unseen if early else recent)
        return self.honest[int(rng.choice(candidates))] if len(candidates) else None


def party_ads(seed: int, number: int, scenery: Scenery) -> list[Ad]:
    """Let the party with this number post all its listings, in order of posting."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
    scheme = weighted({scheme: role.share / role.expected_ads for scheme, role in CAST.items()}, rng)
    party = _Party(seed, number, scheme, rng, scenery)
    for place, (day, account) in enumerate(party.schedule()):
        if day < party.shut_out_day.get(account.seller_id, np.inf):
            party.post(place, day, account)
    return party.ads


class _Party:
    """One party while it posts."""

    def __init__(self, seed: int, number: int, scheme: Scheme, rng: np.random.Generator, scenery: Scenery) -> None:
        self.key = (seed, number)
        self.scheme = scheme
        self.role = CAST[scheme]
        self.rng = rng
        self.scenery = scenery
        self.ads: list[Ad] = []
        self.lenders: set[str] = set()
        self.shut_out_day: dict[str, float] = {}
        self.pictures = scenery.pictures
        self.honest_ads = self._between(self.role.honest_ads)
        self.pictures_wanted = rng.uniform(0.8, 3.2)
        self.crawl_days = rng.uniform(*LATE_CRAWL_DAYS) if rng.random() < LATE_CRAWLED_PARTIES else 0.0

    def _between(self, bounds: tuple[int, int]) -> int:
        return int(self.rng.integers(bounds[0], bounds[1] + 1))

    def _seed(self) -> int:
        return int(self.rng.integers(1, 2**62))

    def schedule(self) -> list[tuple[float, Account]]:
        """Open the accounts and fix who posts when."""
        rng, role, accounts = self.rng, self.role, self._between(self.role.accounts)
        counts = [self._between(role.ads) for _ in range(accounts)]
        total = sum(counts) + self.honest_ads
        span_days = min(BURST_DAYS if rng.random() < role.burst else role.span_days, 0.95 * self.scenery.days)
        first_day = rng.uniform(0.04 if role.fraud else 0.0, 1.0) * (self.scenery.days - span_days)
        days = np.sort(first_day + span_days * rng.random(total))
        posters = np.repeat(np.arange(accounts), counts)
        if self.scheme is not Scheme.SECOND_ACCOUNT:
            posters = rng.permutation(posters)
        posters = np.concatenate([np.zeros(self.honest_ads, int), posters])
        opened = [self._account(index, float(days[posters == index].min())) for index in range(accounts)]
        return [(float(day), opened[poster]) for day, poster in zip(days, posters, strict=True)]

    def _account(self, index: int, first_day: float) -> Account:
        rng, role = self.rng, self.role
        median_days, spread = YOUNG_AGE_DAYS if rng.random() < role.young_account else OLD_AGE_DAYS
        age_days = rng.lognormal(np.log(median_days), spread)
        rate = role.feedback_rate * rng.lognormal(0.0, 1.0) * (rng.random() > NO_FEEDBACK)
        feedback = int(rng.poisson(rate * min(age_days, LONGEST_FEEDBACK_DAYS) / DAYS_PER_FEEDBACK))
        rating = round(float(np.clip(rng.normal(4.7, 0.3), 1.0, 5.0)), 1) if feedback else float("nan")
        # One business is known by what its first account was given.
        shared = self.key if role.grouped else (*self.key, index)
        return Account(
            seller_id=opaque_id("u", *self.key, index),
            joined_day=first_day - age_days,
            feedback_count=feedback,
            rating=rating,
            country=weighted(COUNTRIES, rng),
            location=PLACES[int(rng.integers(len(PLACES)))],
            group_id=opaque_id("g", *shared) if role.grouped else "",
            setting=self._seed(),
            banner=int(opaque_id("", *shared), 16) if role.grouped else 0,
            habit=weighted(role.habits, rng),
        )

    def post(self, place: int, day: float, account: Account) -> None:
        """Post one listing: the party's ``place``-th."""
        rng = self.rng
        role = CAST[Scheme.PRIVATE] if place < self.honest_ads else self.role
        origin = weighted(role.origins, rng)
        listing_id = opaque_id("a", *self.key, place)
        content = draft(origin, self._desk(listing_id, role, day, account, origin))
        low_price = bool(rng.random() < role.low_price)
        factor = rng.uniform(0.45, 0.8) if low_price else rng.lognormal(0.0, 0.12)
        observed_day = self._observed(day)
        ad = Ad(
            listing_id=listing_id,
            account=account,
            created_day=day,
            observed_day=observed_day,
            thing=content.thing,
            title=content.title,
            description=content.description if rng.random() > LACKS_DESCRIPTION else "",
            location=account.location if rng.random() > LACKS_LOCATION else "",
            price=rounded_price(content.thing.worth * factor) if rng.random() > LACKS_PRICE else float("nan"),
            pictures=self._served(content.pictures),
            labelled_day=self._labelled(observed_day, fraud=role.fraud),
            scheme=self.scheme,
            origin=content.origin,
            fraud=role.fraud,
            low_price=low_price,
            edit=content.edit,
            stolen_from=content.stolen_from,
            lent_by=content.lent_by,
            called_fraud=role.fraud != bool(rng.random() < WRONG_LABEL[role.fraud]),
        )
        self.pictures += len(ad.pictures)
        self.ads.append(ad)
        if ad.called_fraud and rng.random() < SHUT_OUT:
            earlier = self.shut_out_day.get(account.seller_id, np.inf)
            self.shut_out_day[account.seller_id] = float(np.fmin(earlier, ad.labelled_day))

    def _desk(self, listing_id: str, role: Role, day: float, account: Account, origin: Origin) -> Desk:
        return Desk(
            listing_id=listing_id,
            account=account,
            earlier=self.ads,
            victim=self._owner(day, origin),
            pictures_wanted=self.pictures_wanted,
            habits=role.habits,
            thieving=role.fraud,
            rng=self.rng,
        )

    def _owner(self, day: float, origin: Origin) -> Ad | None:
        """Find whose pictures to show: a thief takes anybody's, an agent keeps to those who are served already."""
        if origin is Origin.STOLEN:
            return self.scenery.victim_for(day, self.rng)
        if origin not in (Origin.LENT, Origin.BORROWED):
            return None
        owner = self.scenery.owner_for(day, self.lenders if origin is Origin.LENT else frozenset(), self.rng)
        if owner and len(self.lenders) < MOST_LENDERS:
            self.lenders.add(owner.account.seller_id)
        return owner

    def _observed(self, day: float) -> float:
        """When we come by; always within the market's days."""
        lag_days = self.crawl_days + self.rng.exponential(USUAL_CRAWL_DAYS)
        return float(day + min(lag_days, (self.scenery.days - day) * self.rng.uniform(0.3, 0.9)))

    def _labelled(self, observed_day: float, *, fraud: bool) -> float:
        if self.rng.random() > (LABELLED_FRAUD if fraud else LABELLED_LEGIT):
            return float("nan")
        mean_days = LATE_LABEL_DAYS if self.rng.random() < LATE_LABELS else LABEL_DELAY_DAYS[fraud]
        return float(observed_day + 0.05 + self.rng.exponential(mean_days))

    def _served(self, pictures: Sequence[PicturePlan]) -> tuple[PicturePlan, ...]:
        """Let some addresses be dead and a few files broken, whoever posts them."""
        numbers = range(self.pictures, self.pictures + len(pictures))
        return tuple(
            replace(picture, fate=self._fate(number)) for number, picture in zip(numbers, pictures, strict=True)
        )

    def _fate(self, number: int) -> Fate:
        broken = {TRUNCATED_AT: Fate.TRUNCATED, PAGE_AT: Fate.PAGE}.get(number % BROKEN_EVERY)
        return broken or (Fate.DEAD if self.rng.random() < DEAD_PICTURES else Fate.SERVED)
