"""A case: a listing's photos beside the earlier ones, why it was scored as it was, and the verdict."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request
from starlette.responses import Response

from data.catalog.cases.case_events import history, pair_events, ruling
from data.catalog.cases.case_views import (
    accounts_of,
    count_of_seller,
    matches_of,
    pictures_of,
    scores_of,
    timeline_of,
    versions_of,
)
from data.catalog.cases.cases import State, case_of, is_case
from data.catalog.cases.claims import claim, claim_on
from data.catalog.cases.transitions import is_decided
from data.catalog.market.photo_ties import SAME_PHOTO
from features.facts import HASH_KINDS, LOW_INFORMATION
from review.access.permissions import Viewer
from review.access.roles import Role
from review.desk import Desk, desk_of
from review.labels import KIND_WORDS, PROBLEM_WORDS, VERDICT_WORDS, edit_words
from review.queue_filter import Asked, Key

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from data.catalog.database.engine import Connection
    from review.access.sessions import Session

MOST_EARLIER = 3
"""Earlier pictures shown beside one photo; the surest first."""
MOST_SIGHTINGS = 40
SNOOZE_DAYS = {1: "a day", 7: "a week", 30: "a month"}
router = APIRouter()


@router.get("/cases/{key}")
def case(
    request: Request,
    session: Viewer,
    key: Key,
    asked: Annotated[Asked, Depends()],
    told: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show a case, and keep it for whoever opens it, if they may decide and nobody else has it."""
    desk = desk_of(request)
    now = desk.clock()
    holder = _claimed(desk, session, key, now)
    with desk.context.catalog.read() as connection:
        versions = versions_of(connection, key)
        if not versions:
            raise HTTPException(404, "There is no such listing.")
        shown = _shown(connection, key, versions[0], session, now)
    mine = holder is None or holder == session.person.name
    shown |= {
        "session": session,
        "asked": asked,
        "told": told,
        "now": now,
        "holder": None if mine else holder,
        "may_decide": session.person.role >= Role.ANALYST
        and mine
        and (shown["second_reading"] or not shown["decided"]),
        "snoozes": SNOOZE_DAYS,
        "problems": list(PROBLEM_WORDS.items()),
        "verdict_words": VERDICT_WORDS,
        "kind_words": KIND_WORDS,
        "problem_words": PROBLEM_WORDS,
        "kinds": HASH_KINDS,
    }
    return desk.templates.TemplateResponse(request, "case.html", shown)


def _claimed(desk: Desk, session: Session, key: int, now: datetime) -> str | None:
    """Return who has the case from now on."""
    if session.person.role < Role.ANALYST:
        with desk.context.catalog.read() as connection:
            held = claim_on(connection, key, now)
        return None if held is None else held.actor
    with desk.context.catalog.claiming() as connection:
        if not is_case(connection, key):
            return None
        return claim(connection, key, session.person.name, now, desk.context.settings.desk.claim_minutes).actor


def _shown(
    connection: Connection, key: int, listing: dict[str, Any], session: Session, now: datetime
) -> dict[str, Any]:
    """Return all that the page tells."""
    past = history(connection, key)
    waiting = case_of(connection, key)
    second = is_second_reading(waiting, past, session.person.name)
    found = matches_of(connection, key)
    pictures = pictures_of(connection, [key])
    scores = scores_of(connection, key)
    shown = list(dict.fromkeys(picture["image_id"] for picture in pictures))
    same = [row["other_image_id"] for row in found if row["same_photo"] >= SAME_PHOTO]
    return {
        "key": key,
        "listing": listing,
        "attributes": json.loads(listing["attributes"] or "{}"),
        "case": waiting,
        "score": scores[0] if scores else None,
        "reasons": json.loads(scores[0]["reasons"]) if scores else [],
        "scores": scores,
        "photos": _photos(pictures, found),
        "timeline": timeline_of(connection, list(dict.fromkeys([*shown, *same])), MOST_SIGHTINGS),
        "account": next(iter(accounts_of(connection, listing["seller_key"])), None),
        "seller_listings": count_of_seller(connection, listing["seller_key"]),
        "version": len(past),
        "second_reading": second,
        "decided": is_decided(waiting, past),
        # Whoever reads again is not told what was found the first time.
        "history": [] if second else past,
        "ruling": None if second else ruling(past),
        "said": [] if second else pair_events(connection, shown),
    }


def is_second_reading(waiting: dict[str, Any] | None, past: Sequence[dict[str, Any]], reader: str) -> bool:
    """Tell whether a case was decided by others and is wanted once more, by a reader who is not told how.

    Parameters
    ----------
    waiting
        As `data.catalog.cases.cases.case_of` gives it.
    past
        As `data.catalog.cases.transitions.history` gives it.
    """
    if waiting is None or waiting["state"] != State.DECIDED or not waiting["second_wanted"]:
        return False
    return all(event["actor"] != reader for event in past)


def _photos(pictures: Sequence[dict[str, Any]], found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each photo with the earlier ones it is like, those with the surest evidence first."""
    photos = []
    for picture in {picture["image_id"]: picture for picture in reversed(pictures)}.values():
        of_it = [row for row in found if row["image_id"] == picture["image_id"]][:MOST_EARLIER]
        earlier = [{**row, "edit_words": edit_words(row["edit"])} for row in of_it]
        photos.append({**picture, "earlier": earlier, "is_empty": picture["information"] < LOW_INFORMATION})
    photos.sort(key=itemgetter("position"))
    return sorted(photos, key=lambda photo: -max((row["same_photo"] for row in photo["earlier"]), default=-1.0))
