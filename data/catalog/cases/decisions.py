"""Writing what analysts decide. Every event is a row of its own: nothing is ever changed or taken away."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
from sqlalchemy import func, insert, select

from data.catalog.cases.cases import State, case_of, set_state
from data.catalog.cases.claims import release
from data.catalog.database.frames import read_by_keys, read_frame, to_instant, whole_table
from data.catalog.database.records import read_records, read_records_by_keys
from data.catalog.database.schema import verdicts
from data.catalog.market.matches import deny_pairs
from data.errors import CaseChanged, VerdictError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

Verdict = Literal["fraud", "legit", "unsure"]
Problem = Literal["stolen_photo", "second_account", "licensed", "same_business", "not_the_same_photo", "other"]
VERDICTS: tuple[str, ...] = get_args(Verdict)
PROBLEMS: tuple[str, ...] = get_args(Problem)
UNDECIDED = "undecided"
LONGEST_NOTE = 4_000


class Kind(StrEnum):
    """What an event is."""

    VERDICT = "verdict"
    SECOND_READING = "second_reading"
    """The verdict of somebody who was not told the first one. It does not change what holds; a lead may."""
    UNDO = "undo"
    APPEAL = "appeal"
    """Somebody asks for another look; the case is open again."""
    OVERTURN = "overturn"
    SNOOZE = "snooze"
    PAIR = "pair"


RULING = (Kind.VERDICT.value, Kind.OVERTURN.value)
"""Events that say what a listing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody decided of a listing.

    Parameters
    ----------
    problem
        What was wrong, or why it only seemed so; ``None`` if they do not say.
    seen_version
        The listing's version (see `version_of`) on the page they decided on.
    seconds
        From opening the case to deciding; ``None`` if it is not known.
    """

    listing_key: int
    verdict: Verdict
    problem: Problem | None
    note: str
    actor: str
    seen_version: int
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event that was written, about which listing, and the listing's version since."""

    verdict_id: str
    listing_key: int
    version: int


def version_of(connection: Connection, listing_key: int) -> int:
    """Return how many events there are about a listing: whoever saw fewer decides on an old page."""
    query = select(func.count()).select_from(verdicts).where(verdicts.c.listing_key == listing_key)
    return connection.execute(query).scalar_one()


def decide(connection: Connection, decision: Decision, now: datetime, *, second_reading_share: float = 0.0) -> Recorded:
    """Write a verdict, close the case and give it back.

    Raises
    ------
    CaseChanged
        Somebody else wrote about the listing after the page was made, or decided: that is appealed or overturned.
    VerdictError
        The verdict or the problem is none we know, or the note is too long.
    """
    _check(decision)
    _check_version(connection, decision)
    _check_open(connection, decision.listing_key, decision.actor)
    recorded = _write(connection, Kind.VERDICT, now, **_fields(decision))
    wanted = _draw(recorded.verdict_id) < second_reading_share
    set_state(connection, decision.listing_key, State.DECIDED, second_wanted=wanted)
    release(connection, decision.listing_key, decision.actor)
    return recorded


def read_again(connection: Connection, decision: Decision, now: datetime) -> Recorded:
    """Write the verdict of a second reader; what holds stays as it is. Errors as `decide`.

    It is refused where nobody else has decided: there is nothing to be read again.
    """
    _check(decision)
    _check_version(connection, decision)
    holding = ruling(history(connection, decision.listing_key))
    if holding["verdict_id"] is None or holding["actor"] == decision.actor:
        raise VerdictError("read again", "no verdict of somebody else", "Open the case and decide.")
    recorded = _write(
        connection,
        Kind.SECOND_READING,
        now,
        **_fields(decision) | {"verdict": holding["verdict"], "about_id": holding["verdict_id"]},
    )
    set_state(connection, decision.listing_key, State.DECIDED, second_wanted=False)
    release(connection, decision.listing_key, decision.actor)
    return recorded


def undo(connection: Connection, verdict_id: str, actor: str, now: datetime) -> Recorded:
    """Take back an event; what held before it holds again.

    Raises
    ------
    VerdictError
        There is no such verdict, it is somebody else's, was taken back before, or is not the one that holds.
    """
    event = _event(connection, verdict_id)
    if event["actor"] != actor:
        raise VerdictError("take back", f"a verdict of {event['actor']}", "Ask a lead to overturn it.")
    past = history(connection, event["listing_key"])
    if any(other["about_id"] == verdict_id for other in past) and ruling(past)["verdict_id"] != verdict_id:
        raise VerdictError("take back", "a verdict that was taken back before", "Decide again instead.")
    if ruling(past)["verdict_id"] != verdict_id:
        raise VerdictError("take back", "what is not the listing's latest verdict", "Decide again instead.")
    holding = ruling([other for other in past if other["verdict_id"] != verdict_id])["verdict"]
    recorded = _write(
        connection, Kind.UNDO, now, listing_key=event["listing_key"], verdict=holding, actor=actor, about_id=verdict_id
    )
    state = State.OPEN if holding == UNDECIDED else State.DECIDED
    set_state(connection, event["listing_key"], state, second_wanted=False)
    return recorded


def overturn(connection: Connection, decision: Decision, verdict_id: str, now: datetime) -> Recorded:
    """Put another verdict in the place of one; the lead's holds. Errors as `decide` and `undo`."""
    _check(decision)
    _check_version(connection, decision)
    _event(connection, verdict_id)
    recorded = _write(connection, Kind.OVERTURN, now, **_fields(decision), about_id=verdict_id)
    set_state(connection, decision.listing_key, State.DECIDED, second_wanted=False)
    return recorded


def appeal(connection: Connection, verdict_id: str, actor: str, now: datetime, note: str) -> Recorded:
    """Ask for another look: the verdict holds meanwhile, the case is open again."""
    event = _event(connection, verdict_id)
    holding = ruling(history(connection, event["listing_key"]))["verdict"]
    recorded = _write(
        connection,
        Kind.APPEAL,
        now,
        listing_key=event["listing_key"],
        verdict=holding,
        actor=actor,
        note=note[:LONGEST_NOTE],
        about_id=verdict_id,
    )
    set_state(connection, event["listing_key"], State.OPEN, second_wanted=False)
    return recorded


def snooze(connection: Connection, listing_key: int, until: datetime, actor: str, now: datetime) -> Recorded:
    """Leave a case alone until a time, aware UTC. Raises `CaseChanged` if it is decided."""
    _check_open(connection, listing_key)
    holding = ruling(history(connection, listing_key))["verdict"]
    recorded = _write(
        connection, Kind.SNOOZE, now, listing_key=listing_key, verdict=holding, actor=actor, until_at=to_instant(until)
    )
    set_state(connection, listing_key, State.SNOOZED, until=until)
    release(connection, listing_key, actor)
    return recorded


def deny_pair(
    connection: Connection, listing_key: int, pair: tuple[str, str], actor: str, now: datetime, note: str = ""
) -> Recorded:
    """Keep that two pictures are different photos: they raise no alarm again, from now on.

    Parameters
    ----------
    listing_key
        The listing at which it was noticed.
    pair
        Both ``image_id``.
    """
    first, second = sorted(pair)
    recorded = _write(
        connection,
        Kind.PAIR,
        now,
        listing_key=listing_key,
        image_id=first,
        other_image_id=second,
        verdict=UNDECIDED,
        problem="not_the_same_photo",
        note=note[:LONGEST_NOTE],
        actor=actor,
    )
    told = pd.DataFrame({"image_id": [first], "other_image_id": [second], "known_at": [pd.Timestamp(now)]})
    deny_pairs(connection, told)
    return recorded


def history(connection: Connection, listing_key: int) -> list[dict[str, Any]]:
    """Return all events about a listing, all columns of `verdicts`, the first one first."""
    query = whole_table(verdicts, _names()).where(verdicts.c.listing_key == listing_key)
    return read_records(connection, query.order_by(verdicts.c.decided_at, verdicts.c.verdict_id))


def ruling(past: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the event that says what a listing is: the latest verdict that was not taken back.

    Parameters
    ----------
    past
        What `history` gives, or a part of it.

    Returns
    -------
    dict
        Columns of `verdicts`; ``verdict`` is ``UNDECIDED`` and ``verdict_id`` ``None`` if there is none.
    """
    undone = {event["about_id"] for event in past if event["kind"] == Kind.UNDO}
    standing = [event for event in past if event["kind"] in RULING and event["verdict_id"] not in undone]
    return standing[-1] if standing else {"verdict": UNDECIDED, "verdict_id": None}


def decided_on(connection: Connection, listing_keys: pd.Series[int]) -> dict[int, str]:
    """Return what holds for those of some listings that somebody decided on, by key."""
    query = whole_table(verdicts, _names()).where(verdicts.c.image_id.is_(None))
    told = read_by_keys(connection, query, verdicts.c.listing_key, listing_keys).sort_values("verdict_id")
    latest = told.drop_duplicates("listing_key", keep="last")
    return dict(zip(latest["listing_key"].tolist(), latest["verdict"].tolist(), strict=True))


def said_about(connection: Connection, image_ids: Collection[str]) -> list[dict[str, Any]]:
    """Return the events about pairs that some pictures are in, all columns of `verdicts`, the latest first."""
    query = whole_table(verdicts, _names())
    found = {
        event["verdict_id"]: event
        for column in (verdicts.c.image_id, verdicts.c.other_image_id)
        for event in read_records_by_keys(connection, query, column, image_ids)
    }
    return sorted(found.values(), key=itemgetter("decided_at"), reverse=True)


def audit_page(
    connection: Connection, *, before: str | None = None, size: int, actor: str | None = None
) -> pd.DataFrame:
    """Return events of all listings, all columns of `verdicts`, the latest first.

    Parameters
    ----------
    before
        ``verdict_id`` of the last event of the page before, since ids rise with time; ``None`` begins.
    actor
        Only theirs.
    """
    query = whole_table(verdicts, _names())
    if before is not None:
        query = query.where(verdicts.c.verdict_id < before)
    if actor is not None:
        query = query.where(verdicts.c.actor == actor)
    return read_frame(connection, query.order_by(verdicts.c.verdict_id.desc()).limit(size))


def _check(decision: Decision) -> None:
    if decision.verdict not in VERDICTS:
        raise VerdictError("write a verdict", f"{decision.verdict!r}", f"Expected one of {', '.join(VERDICTS)}.")
    if decision.problem is not None and decision.problem not in PROBLEMS:
        raise VerdictError("write a verdict", f"the problem {decision.problem!r}", f"Expected {', '.join(PROBLEMS)}.")
    if len(decision.note) > LONGEST_NOTE:
        raise VerdictError(
            "write a verdict", f"a note of {len(decision.note):,}", f"Expected {LONGEST_NOTE:,} at most."
        )


def _check_version(connection: Connection, decision: Decision) -> None:
    past = history(connection, decision.listing_key)
    if len(past) != decision.seen_version:
        latest = past[-1] if past else {"actor": "nobody", "verdict": UNDECIDED, "kind": "nothing"}
        raise CaseChanged(str(latest["actor"]), str(latest["kind"]), str(latest["verdict"]))


def is_decided(waiting: dict[str, Any] | None, past: Sequence[dict[str, Any]]) -> bool:
    """Tell whether a listing waits for nobody's verdict any more.

    Parameters
    ----------
    waiting
        What `data.catalog.cases.cases.case_of` gives.
    past
        What `history` gives. It alone tells of a listing that never became a case: one that was appealed waits again.
    """
    if waiting is not None:
        return bool(waiting["state"] == State.DECIDED)
    holding = ruling(past)["verdict_id"]
    appealed = any(event["kind"] == Kind.APPEAL and event["about_id"] == holding for event in past)
    return holding is not None and not appealed


def _check_open(connection: Connection, listing_key: int, author: str | None = None) -> None:
    """Refuse what is for open cases; the author of the verdict that holds may still change their mind."""
    past = history(connection, listing_key)
    holding = ruling(past)
    if holding["verdict_id"] and is_decided(case_of(connection, listing_key), past) and holding["actor"] != author:
        raise CaseChanged(str(holding["actor"]), str(holding["kind"]), str(holding["verdict"]))


def _fields(decision: Decision) -> dict[str, Any]:
    return {
        "listing_key": decision.listing_key,
        "verdict": decision.verdict,
        "said": decision.verdict,
        "problem": decision.problem,
        "note": decision.note,
        "actor": decision.actor,
        "seconds": decision.seconds,
    }


def _write(connection: Connection, kind: Kind, now: datetime, **values: Any) -> Recorded:
    """Write an event, later than any about the listing whatever the clock says, so that their order is kept."""
    latest = select(func.max(verdicts.c.decided_at)).where(verdicts.c.listing_key == values["listing_key"])
    at = max(to_instant(now), (connection.execute(latest).scalar() or 0) + 1)
    verdict_id = f"{at:016x}-{secrets.token_hex(4)}"
    values["note"] = _storable(values.get("note", ""))
    connection.execute(insert(verdicts).values(verdict_id=verdict_id, kind=str(kind), decided_at=at, **values))
    return Recorded(verdict_id, values["listing_key"], version_of(connection, values["listing_key"]))


def _storable(text: str) -> str:
    """Return a text with what no database keeps replaced: PostgreSQL takes no NUL, and UTF-8 has no lone surrogates."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _event(connection: Connection, verdict_id: str) -> dict[str, Any]:
    found = read_records(connection, whole_table(verdicts, _names()).where(verdicts.c.verdict_id == verdict_id))
    if not found:
        raise VerdictError("find the verdict", f"none has the number {verdict_id[:40]!r}", "Open the case again.")
    return found[0]


def _draw(verdict_id: str) -> float:
    """Return a number from 0 to 1 that depends on the event alone."""
    return int.from_bytes(blake2b(verdict_id.encode(), digest_size=6).digest()) / 2**48


def _names() -> tuple[str, ...]:
    return tuple(column.name for column in verdicts.columns)
