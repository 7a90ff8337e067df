"""What analysts may decide, and what state a case is in then: each decision writes one event."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd

from data.catalog.cases.case_events import UNDECIDED, Kind, Recorded, append_event, event_of, history, ruling
from data.catalog.cases.cases import State, case_of, set_state
from data.catalog.cases.claims import release
from data.catalog.database.frames import to_instant
from data.catalog.market.matches import deny_pairs
from data.errors import CaseChanged, VerdictError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

Verdict = Literal["fraud", "legit", "unsure"]


Problem = Literal["stolen_photo", "second_account", "licensed", "same_business", "not_the_same_photo", "other"]


VERDICTS: tuple[str, ...] = get_args(Verdict)


PROBLEMS: tuple[str, ...] = get_args(Problem)


LONGEST_NOTE = 4_000


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
    recorded = append_event(connection, Kind.VERDICT, now, **_fields(decision))
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
    recorded = append_event(
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
    event = event_of(connection, verdict_id)
    if event["actor"] != actor:
        raise VerdictError("take back", f"a verdict of {event['actor']}", "Ask a lead to overturn it.")
    past = history(connection, event["listing_key"])
    if any(other["about_id"] == verdict_id for other in past) and ruling(past)["verdict_id"] != verdict_id:
        raise VerdictError("take back", "a verdict that was taken back before", "Decide again instead.")
    if ruling(past)["verdict_id"] != verdict_id:
        raise VerdictError("take back", "what is not the listing's latest verdict", "Decide again instead.")
    holding = ruling([other for other in past if other["verdict_id"] != verdict_id])["verdict"]
    recorded = append_event(
        connection, Kind.UNDO, now, listing_key=event["listing_key"], verdict=holding, actor=actor, about_id=verdict_id
    )
    state = State.OPEN if holding == UNDECIDED else State.DECIDED
    set_state(connection, event["listing_key"], state, second_wanted=False)
    return recorded


def overturn(connection: Connection, decision: Decision, verdict_id: str, now: datetime) -> Recorded:
    """Put another verdict in the place of one; the lead's holds. Errors as `decide` and `undo`."""
    _check(decision)
    _check_version(connection, decision)
    event_of(connection, verdict_id)
    recorded = append_event(connection, Kind.OVERTURN, now, **_fields(decision), about_id=verdict_id)
    set_state(connection, decision.listing_key, State.DECIDED, second_wanted=False)
    return recorded


def appeal(connection: Connection, verdict_id: str, actor: str, now: datetime, note: str) -> Recorded:
    """Ask for another look: the verdict holds meanwhile, the case is open again."""
    event = event_of(connection, verdict_id)
    holding = ruling(history(connection, event["listing_key"]))["verdict"]
    recorded = append_event(
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
    recorded = append_event(
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
    recorded = append_event(
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


def _draw(verdict_id: str) -> float:
    """Return a number from 0 to 1 that depends on the event alone."""
    return int.from_bytes(blake2b(verdict_id.encode(), digest_size=6).digest()) / 2**48
