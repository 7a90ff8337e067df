"""What a listing shows: the thing, the words, and pictures that are new, one's own, a supplier's or somebody else's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from data.synthetic.drawn_pictures import PLACEHOLDERS
from data.synthetic.entries import Ad, Fate, PictureKind, PicturePlan
from data.synthetic.merchandise import CATEGORIES, MAKERS, Thing, description_for, some_thing, title_for
from data.synthetic.picture_edits import Edit
from data.synthetic.schemes import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data.synthetic.entries import Account

MOST_PICTURES = 6
SUPPLIER_QUALITY = 85
KEEPS_HABIT = 0.85
TAKES_ALL = 0.65
COPIES_TEXT = 0.3
CALLS_IT_OTHERWISE = 0.15
LENT_WITH_TEXT = 0.5

Choice = TypeVar("Choice")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What somebody has at hand when a listing is written.

    Parameters
    ----------
    earlier
        The party's own listings so far.
    victim
        Whose pictures could be taken or lent; ``None`` for nobody's.
    pictures_wanted
        Mean number of further pictures.
    habits
        Weights of edits to pictures used again.
    """

    listing_id: str
    account: Account
    earlier: Sequence[Ad]
    victim: Ad | None
    pictures_wanted: float
    habits: Mapping[Edit, float]
    thieving: bool
    rng: np.random.Generator

    def seed(self) -> int:
        """Draw a seed for a picture."""
        return int(self.rng.integers(1, 2**62))


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A listing's content before it is posted."""

    thing: Thing
    title: str
    description: str
    pictures: tuple[PicturePlan, ...]
    origin: Origin
    edit: Edit = Edit.NONE
    stolen_from: tuple[str, ...] = ()
    lent_by: tuple[str, ...] = ()


def weighted(weights: Mapping[Choice, float], rng: np.random.Generator) -> Choice:
    """Draw one key by its weight."""
    edges = np.cumsum(list(weights.values()))
    return list(weights)[int(np.searchsorted(edges, rng.random() * edges[-1], side="right"))]


def draft(origin: Origin, desk: Desk) -> Draft:
    """Write a listing with pictures of this origin, or of the next best where there is nothing to take."""
    if origin is Origin.STOLEN and desk.victim is not None:
        return _stolen(desk, desk.victim)
    if origin is Origin.LENT and desk.victim is not None:
        return _lent(desk, desk.victim)
    if origin is Origin.BORROWED and desk.victim is not None:
        return _borrowed(desk, desk.victim)
    reusable = [ad for ad in desk.earlier if ad.served]
    if origin is Origin.OWN_EARLIER and reusable:
        return _reused(desk, reusable[int(desk.rng.integers(len(reusable)))])
    if origin in (Origin.STOLEN, Origin.OUTSIDE):
        return _outside(desk)
    if origin is Origin.STOCK:
        return _stock(desk)
    if origin is Origin.PLACEHOLDER:
        return _placeholder(desk)
    return _worded(desk, thing := _new_thing(desk), _photos(desk, thing, desk.account.setting), Origin.CAMERA)


def _new_thing(desk: Desk) -> Thing:
    return some_thing(desk.rng, int(desk.rng.integers(len(CATEGORIES))))


def _worded(desk: Desk, thing: Thing, pictures: tuple[PicturePlan, ...], origin: Origin) -> Draft:
    return Draft(
        thing=thing,
        title=title_for(thing, desk.rng),
        description=description_for(thing, desk.rng),
        pictures=pictures,
        origin=origin,
    )


def _plan(desk: Desk, position: int, kind: PictureKind, thing: Thing) -> PicturePlan:
    return PicturePlan(
        path=f"images/{desk.listing_id}-{position}.jpg",
        listing_id=desk.listing_id,
        position=position,
        kind=kind,
        category=thing.category,
        setting=0,
        item=0,
        view=0,
        banner=desk.account.banner,
        source="",
        beside="",
        depth=0,
        edit=Edit.NONE,
        quality=SUPPLIER_QUALITY,
        fate=Fate.SERVED,
    )


def _photos(desk: Desk, thing: Thing, setting: int) -> tuple[PicturePlan, ...]:
    """Take some photographs of one thing in one room."""
    count = min(MOST_PICTURES, 1 + int(desk.rng.poisson(desk.pictures_wanted)))
    item = desk.seed()
    return tuple(
        replace(
            _plan(desk, position, PictureKind.PHOTO, thing),
            setting=setting,
            item=item,
            view=desk.seed(),
            quality=int(desk.rng.integers(72, 93)),
        )
        for position in range(count)
    )


def _stock(desk: Desk) -> Draft:
    """Show the supplier's picture of that make, sometimes with one's own beside it."""
    thing = _new_thing(desk)
    first = replace(
        _plan(desk, 0, PictureKind.STOCK, thing),
        item=MAKERS.index(thing.maker),
        view=desk.seed(),
        edit=(edit := weighted(desk.habits, desk.rng)),
        quality=SUPPLIER_QUALITY if edit is Edit.NONE else int(desk.rng.integers(60, 91)),
    )
    own = _photos(desk, thing, desk.account.setting) if desk.rng.random() < 0.5 else ()
    return replace(_worded(desk, thing, _numbered(desk, (first, *own)), Origin.STOCK), edit=edit)


def _placeholder(desk: Desk) -> Draft:
    thing = _new_thing(desk)
    plan = _plan(desk, 0, PictureKind.PLACEHOLDER, thing)
    return _worded(
        desk, thing, (replace(plan, item=int(desk.rng.integers(PLACEHOLDERS)), banner=0),), Origin.PLACEHOLDER
    )


def _outside(desk: Desk) -> Draft:
    """Take pictures from a place we never see: to us they are new, and from yet another room."""
    thing = _new_thing(desk)
    return _worded(desk, thing, _photos(desk, thing, desk.seed()), Origin.OUTSIDE)


def _reused(desk: Desk, ad: Ad) -> Draft:
    """Post an earlier listing of one's own once more."""
    edit = _edit(desk)
    return Draft(
        thing=ad.thing,
        title=ad.title,
        description=ad.description,
        pictures=_copies(desk, ad.served, edit),
        origin=Origin.OWN_EARLIER,
        edit=edit,
        stolen_from=ad.stolen_from,
        lent_by=ad.lent_by,
    )


def _lent(desk: Desk, owner: Ad) -> Draft:
    """Sell somebody's thing for them: their pictures, and often their words."""
    edit = _edit(desk)
    described = _worded(desk, owner.thing, _copies(desk, owner.served, edit), Origin.LENT)
    described = replace(described, edit=edit, lent_by=(owner.listing_id,))
    if desk.rng.random() < LENT_WITH_TEXT:
        return replace(described, title=owner.title, description=owner.description)
    return described


def _borrowed(desk: Desk, owner: Ad) -> Draft:
    """Show one picture of another seller's thing of the same make, mostly beside one's own."""
    edit = _edit(desk)
    first = _copies(desk, owner.served[:1], edit)
    own = _photos(desk, owner.thing, desk.account.setting) if desk.rng.random() < 0.7 else ()
    described = _worded(desk, owner.thing, _numbered(desk, (*first, *own)), Origin.BORROWED)
    return replace(described, edit=edit, lent_by=(owner.listing_id,))


def _stolen(desk: Desk, victim: Ad) -> Draft:
    """Take somebody's pictures, all or some, and word the listing anew or copy that too."""
    rng, edit = desk.rng, _edit(desk)
    taken = np.array(victim.served, dtype=object)
    if rng.random() > TAKES_ALL:
        taken = rng.permutation(taken)[: int(rng.integers(1, len(taken) + 1))]
    pictures = _copies(desk, tuple(taken), edit)
    thing = victim.thing
    if rng.random() < CALLS_IT_OTHERWISE:
        thing = replace(some_thing(rng, thing.category), worth=thing.worth)
    described = replace(_worded(desk, thing, pictures, Origin.STOLEN), edit=edit, stolen_from=(victim.listing_id,))
    if rng.random() < COPIES_TEXT:
        return replace(described, thing=victim.thing, title=victim.title, description=victim.description)
    return described


def _edit(desk: Desk) -> Edit:
    """Thieves have a habit and mostly keep it; other people do as it comes."""
    if desk.thieving and desk.rng.random() < KEEPS_HABIT:
        return desk.account.habit
    return weighted(desk.habits, desk.rng)


def _copies(desk: Desk, taken: Sequence[PicturePlan], edit: Edit) -> tuple[PicturePlan, ...]:
    """Plan a copy of each picture; a collage holds two, or one and a detail of it."""
    beside: Sequence[PicturePlan | None] = [None] * len(taken)
    if edit is Edit.COLLAGE:
        taken, beside = taken[::2], [*taken[1::2], *([None] * (len(taken) % 2))]
    copies = tuple(
        replace(
            picture,
            kind=PictureKind.COPY,
            listing_id=desk.listing_id,
            view=desk.seed(),
            banner=0,
            source=picture.path,
            beside=other.path if other else "",
            depth=max(picture.depth, other.depth if other else 0) + 1,
            edit=edit,
            quality=int(desk.rng.integers(60, 91)),
        )
        for picture, other in zip(taken, beside, strict=True)
    )
    return _numbered(desk, copies)


def _numbered(desk: Desk, pictures: Sequence[PicturePlan]) -> tuple[PicturePlan, ...]:
    return tuple(
        replace(picture, position=position, path=f"images/{desk.listing_id}-{position}.jpg")
        for position, picture in enumerate(pictures[:MOST_PICTURES])
    )
