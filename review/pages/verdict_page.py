"""What people decide, and take back: every route here writes one event and leads on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, cast
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData
from starlette.responses import Response

from data.catalog.cases.case_events import Recorded, audit_page, version_of
from data.catalog.cases.case_views import alignment_of, is_known_listing, titles_of
from data.catalog.cases.claims import release
from data.catalog.cases.transitions import (
    Decision,
    appeal,
    decide,
    deny_pair,
    overturn,
    read_again,
    snooze,
    undo,
)
from data.catalog.database.frames import records
from data.errors import VerdictError
from review.access.permissions import Analyst, Form, Lead, Viewer
from review.assignment import next_case
from review.desk import Desk, desk_of
from review.labels import KIND_LABELS, PROBLEM_LABELS, VERDICT_LABELS
from review.queue_filter import LARGEST_KEY, SMALLEST_KEY, Key, QueueFilter

if TYPE_CHECKING:
    from data.catalog.cases.transitions import Problem, Verdict
    from data.catalog.database.engine import Connection

LONGEST_SNOOZE_DAYS = 365
AUDIT_ROWS = 50
MOST_AT_ONCE = 200
LONGEST_S = 24 * 3600.0
router = APIRouter()


@router.post("/cases/{key}/verdict")
def record_verdict(request: Request, session: Analyst, key: Key, form: Form) -> Response:
    """Write a verdict and lead to the next case."""
    desk, decision = desk_of(request), _decision(form, key, session.user.name)
    recorded = write_verdict(desk, decision, second_review=bool(form.get("second_reading")))
    return _next(desk, session.user.name, form, key, recorded)


def write_verdict(desk: Desk, decision: Decision, *, second_review: bool) -> Recorded:
    """Write the verdict on a case, or that of its second review."""
    now, share = desk.clock(), desk.context.settings.desk.second_reading_share
    with desk.context.catalog.write(durable=True) as connection:
        require_listing(connection, decision.listing_key)
        if second_review:
            return read_again(connection, decision, now)
        return decide(connection, decision, now, second_reading_share=share)


@router.post("/cases/{key}/snooze")
def snooze_case(request: Request, session: Analyst, key: Key, form: Form) -> Response:
    """Leave a case alone for some days and lead to the next one."""
    desk, now = desk_of(request), desk_of(request).clock()
    days = _number(form, "days", 1, LONGEST_SNOOZE_DAYS)
    with desk.context.catalog.write(durable=True) as connection:
        require_listing(connection, key)
        recorded = snooze(connection, key, now + timedelta(days=days), session.user.name, now)
    return _next(desk, session.user.name, form, key, recorded)


@router.post("/cases/{key}/pair")
def deny_photo_pair(request: Request, session: Analyst, key: Key, form: Form) -> Response:
    """Keep that two pictures are different photos, and show the case again."""
    desk, now = desk_of(request), desk_of(request).clock()
    pair = str(form.get("image_id", "")), str(form.get("other_image_id", ""))
    if not all(pair) or pair[0] == pair[1]:
        raise VerdictError("part two photos", f"{pair[0][:70]!r} and {pair[1][:70]!r}", "Expected two pictures.")
    with desk.context.catalog.write(durable=True) as connection:
        require_listing(connection, key)
        if alignment_of(connection, *pair) is None:
            raise HTTPException(404, "These two pictures were not found to be alike; nothing was written.")
        deny_pair(connection, key, pair, session.user.name, now, str(form.get("note", "")))
    return RedirectResponse(f"/cases/{key}{_queue_query(form)}", 303)


@router.post("/cases/{key}/release")
def release_case(request: Request, session: Analyst, key: Key, form: Form) -> Response:
    """Give a case back without a verdict, and show the queue."""
    with desk_of(request).context.catalog.claiming() as connection:
        release(connection, key, session.user.name)
    return RedirectResponse("/" + _queue_query(form), 303)


@router.post("/verdicts/{verdict_id}/undo")
def undo_verdict(request: Request, session: Analyst, verdict_id: str, form: Form) -> Response:
    """Take back the verdict that holds, if it is one's own, and show the case again."""
    desk = desk_of(request)
    with desk.context.catalog.write(durable=True) as connection:
        recorded = undo(connection, verdict_id, session.user.name, desk.clock())
    return RedirectResponse(f"/cases/{recorded.listing_key}{_queue_query(form)}", 303)


@router.post("/verdicts/{verdict_id}/appeal")
def appeal_verdict(request: Request, session: Analyst, verdict_id: str, form: Form) -> Response:
    """Ask for another look at a decided case, which is open again."""
    desk = desk_of(request)
    with desk.context.catalog.write(durable=True) as connection:
        note = str(form.get("note", ""))
        recorded = appeal(connection, verdict_id, session.user.name, desk.clock(), note)
    return RedirectResponse(f"/cases/{recorded.listing_key}{_queue_query(form)}", 303)


@router.post("/verdicts/{verdict_id}/overturn")
def overturn_verdict(request: Request, session: Lead, verdict_id: str, form: Form) -> Response:
    """Put another verdict in the place of somebody's."""
    desk = desk_of(request)
    key = _number(form, "key", SMALLEST_KEY, LARGEST_KEY)
    with desk.context.catalog.write(durable=True) as connection:
        require_listing(connection, key)
        overturn(connection, _decision(form, key, session.user.name), verdict_id, desk.clock())
    return RedirectResponse(f"/cases/{key}{_queue_query(form)}", 303)


@router.post("/bulk")
def decide_in_bulk(request: Request, session: Lead, form: Form) -> Response:
    """Write one verdict for many listings: all of them, or none if one was changed meanwhile."""
    desk, now = desk_of(request), desk_of(request).clock()
    keys = [_whole(str(key), "key", SMALLEST_KEY, LARGEST_KEY) for key in form.getlist("key")]
    if not 0 < len(keys) <= MOST_AT_ONCE:
        raise VerdictError("decide for many", f"{len(keys)} marked listings", f"Expected 1 to {MOST_AT_ONCE}.")
    with desk.context.catalog.write(durable=True) as connection:
        for key in keys:
            require_listing(connection, key)
            decision = _decision(form, key, session.user.name, seen_version=version_of(connection, key))
            decide(connection, decision, now)
    return RedirectResponse("/?" + urlencode({"decided": len(keys)}), 303)


@router.get("/audit")
def audit(
    request: Request,
    session: Viewer,
    before: Annotated[str, Query(max_length=80)] = "",
    actor: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """Show what was decided, by whom and when, the latest first."""
    desk = desk_of(request)
    with desk.context.catalog.read() as connection:
        events = audit_page(connection, before=before or None, size=AUDIT_ROWS, actor=actor or None)
        titles = titles_of(connection, events["listing_key"].tolist())
    rows = [{**row, "listing": titles.get(row["listing_key"], {})} for row in records(events)]
    values = {
        "session": session,
        "rows": rows,
        "actor": actor,
        "older": rows[-1]["verdict_id"] if len(rows) == AUDIT_ROWS else None,
        "kinds": KIND_LABELS,
        "verdicts": VERDICT_LABELS,
        "problems": PROBLEM_LABELS,
    }
    return desk.templates.TemplateResponse(request, "audit.html", values)


def require_listing(connection: Connection, key: int) -> None:
    """Answer 404, before anything is written, if there is no such listing."""
    if not is_known_listing(connection, key):
        raise HTTPException(404, f"There is no listing {key}; nothing was written.")


def _decision(form: FormData, key: int, actor: str, *, seen_version: int | None = None) -> Decision:
    return Decision(
        listing_key=key,
        verdict=cast("Verdict", str(form.get("verdict", ""))),
        problem=cast("Problem | None", str(form.get("problem", "")) or None),
        note=str(form.get("note", "")),
        actor=actor,
        seen_version=_number(form, "seen_version", 0, 2**31) if seen_version is None else seen_version,
        seconds=_seconds(str(form.get("seconds", ""))),
    )


def _seconds(text: str) -> float | None:
    """Return how long somebody looked, as their browser says; ``None`` if it does not, or says nonsense."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return min(seconds, LONGEST_S) if seconds >= 0 else None


def _number(form: FormData, name: str, least: int, most: int) -> int:
    return _whole(str(form.get(name, "")), name, least, most)


def _whole(text: str, name: str, least: int, most: int) -> int:
    try:
        value = int(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise VerdictError("read the form", f"{name} {text[:40]!r}", f"Expected a whole number from {least} to {most}.")
    return value


def _queue_query(form: FormData, **more: object) -> str:
    """Return the queue's filter that the form carries, as the query of a URL."""
    query = str(form.get("back", "")).removeprefix("?")
    more_query = urlencode({name: value for name, value in more.items() if value is not None})
    whole = "&".join(each for each in (query, more_query) if each)
    return f"?{whole}" if whole else ""


def _next(desk: Desk, actor: str, form: FormData, key: int, recorded: Recorded) -> Response:
    """Lead to the next case of the filter, with what was just written named."""
    queue_filter = QueueFilter.read(str(form.get("back", "")))
    following = next_case(desk, actor, queue_filter.filter(desk.clock()), key)
    path = "/" if following is None else f"/cases/{following}"
    return RedirectResponse(path + _queue_query(form, recorded=recorded.verdict_id), 303)
