"""A case: a listing's photos beside the earlier ones, why it was scored as it was, and the verdict."""

from __future__ import annotations

import json
from dataclasses import asdict
from operator import itemgetter
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from data.catalog.cases.case_events import pair_events
from data.catalog.cases.case_views import accounts_of, count_of_seller, timeline_of
from data.catalog.cases.cases import is_case
from data.catalog.cases.claims import claim, claim_on
from features.facts import HASH_KINDS, LOW_INFORMATION
from features.sightings.evidence import SAME_PHOTO
from review.access.permissions import Viewer
from review.access.roles import Role
from review.case_view import CaseView, case_view
from review.desk import Desk, desk_of
from review.labels import KIND_LABELS, PROBLEM_LABELS, VERDICT_LABELS, edit_label
from review.queue_filter import Key, QueueFilter

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
    queue_filter: Annotated[QueueFilter, Depends()],
    recorded: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show a case, and keep it for whoever opens it, if they may decide and nobody else has it."""
    desk = desk_of(request)
    now = desk.clock()
    holder = _claimed(desk, session, key, now)
    with desk.context.catalog.read() as connection:
        view = case_view(connection, key, session.user.name)
        values = asdict(view) | _surroundings(connection, view)
    mine = holder is None or holder == session.user.name
    values |= {
        "session": session,
        "queue_filter": queue_filter,
        "recorded": recorded,
        "now": now,
        "holder": None if mine else holder,
        "may_decide": session.user.role >= Role.ANALYST and mine and (view.second_review or not view.decided),
        "snoozes": SNOOZE_DAYS,
        "problems": list(PROBLEM_LABELS.items()),
        "verdict_labels": VERDICT_LABELS,
        "kind_labels": KIND_LABELS,
        "problem_labels": PROBLEM_LABELS,
        "kinds": HASH_KINDS,
    }
    return desk.templates.TemplateResponse(request, "case.html", values)


def _claimed(desk: Desk, session: Session, key: int, now: datetime) -> str | None:
    """Return who has the case from now on."""
    if session.user.role < Role.ANALYST:
        with desk.context.catalog.read() as connection:
            current = claim_on(connection, key, now)
        return None if current is None else current.actor
    with desk.context.catalog.claiming() as connection:
        if not is_case(connection, key):
            return None
        return claim(connection, key, session.user.name, now, desk.context.settings.desk.claim_minutes).actor


def _surroundings(connection: Connection, view: CaseView) -> dict[str, Any]:
    """Return what the page shows beside the case itself: its photos in order, their sightings, and the seller."""
    own = [picture["image_id"] for picture in view.pictures]
    same = [row["other_image_id"] for row in view.matches if row["same_photo"] >= SAME_PHOTO]
    score = view.scores[0] if view.scores else None
    seller_key = view.listing["seller_key"]
    return {
        "attributes": json.loads(view.listing["attributes"] or "{}"),
        "score": score,
        "reasons": json.loads(score["reasons"]) if score else [],
        "photos": _photos(view.pictures, view.matches),
        "timeline": timeline_of(connection, list(dict.fromkeys([*own, *same])), MOST_SIGHTINGS),
        "account": next(iter(accounts_of(connection, seller_key)), None),
        "seller_listings": count_of_seller(connection, seller_key),
        "pair_events": [] if view.second_review else pair_events(connection, list(dict.fromkeys(own))),
    }


def _photos(pictures: Sequence[dict[str, Any]], matches: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return each photo with the earlier ones it is like, those with the surest evidence first."""
    photos = []
    for picture in {picture["image_id"]: picture for picture in reversed(pictures)}.values():
        of_it = [row for row in matches if row["image_id"] == picture["image_id"]][:MOST_EARLIER]
        earlier = [{**row, "edit_label": edit_label(row["edit"])} for row in of_it]
        photos.append({**picture, "earlier": earlier, "is_empty": picture["information"] < LOW_INFORMATION})
    photos.sort(key=itemgetter("position"))
    return sorted(photos, key=lambda photo: -max((row["same_photo"] for row in photo["earlier"]), default=-1.0))
