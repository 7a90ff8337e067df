"""All that is known for deciding on a listing, as one reader may see it: a second reviewer is not shown the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException

from data.catalog.cases.case_events import history, ruling
from data.catalog.cases.case_views import matches_of, pictures_of, scores_of, versions_of
from data.catalog.cases.cases import State, case_of
from data.catalog.cases.transitions import is_decided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data.catalog.database.engine import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    """A listing with its case, if it is one.

    Parameters
    ----------
    key
        The listing's.
    listing
        Its newest version.
    case
        Its row of the queue; ``None`` for a listing that is no case.
    version
        Counts what was written about it; a verdict names the version that it rests on.
    scores
        The latest first.
    pictures, matches
        Of its photos, and the earlier ones they are like.
    decided
        Whether a verdict holds and nobody has appealed.
    second_review
        Whether others decided and the reader is to decide once more, without being told how.
    ruling, history
        The event that holds and all events; for a second reviewer ``None`` and nothing.
    """

    key: int
    listing: dict[str, Any]
    case: dict[str, Any] | None
    version: int
    scores: list[dict[str, Any]]
    pictures: list[dict[str, Any]]
    matches: list[dict[str, Any]]
    decided: bool
    second_review: bool
    ruling: dict[str, Any] | None
    history: list[dict[str, Any]]


def case_view(connection: Connection, key: int, reader: str) -> CaseView:
    """Put together what a reader may see of a listing; answers 404 if there is none."""
    versions = versions_of(connection, key)
    if not versions:
        raise HTTPException(404, "There is no such listing.")
    case, events = case_of(connection, key), history(connection, key)
    second = is_second_review(case, events, reader)
    holding = ruling(events)
    return CaseView(
        key=key,
        listing=versions[0],
        case=case,
        version=len(events),
        scores=scores_of(connection, key),
        pictures=pictures_of(connection, [key]),
        matches=matches_of(connection, key),
        decided=is_decided(case, events),
        second_review=second,
        ruling=None if second or holding["verdict_id"] is None else holding,
        history=[] if second else events,
    )


def is_second_review(case: dict[str, Any] | None, events: Sequence[dict[str, Any]], reader: str) -> bool:
    """Tell whether a case was decided by others and is wanted once more, by a reader who is not told how.

    Parameters
    ----------
    case
        As `data.catalog.cases.cases.case_of` gives it.
    events
        As `data.catalog.cases.case_events.history` gives them.
    """
    if case is None or case["state"] != State.DECIDED or not case["second_wanted"]:
        return False
    return all(event["actor"] != reader for event in events)
