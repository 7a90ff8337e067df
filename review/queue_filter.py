"""Which part of the queue somebody works on, as it stands in the URL."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import Path, Query
from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from data.catalog.cases.cases import Filter, State

SMALLEST_KEY, LARGEST_KEY = -(2**63), 2**63 - 1
Key = Annotated[int, Path(ge=SMALLEST_KEY, le=LARGEST_KEY)]
"""A listing or a seller in a path; other numbers are none that the catalog could hold."""
_Number = Annotated[int, Field(ge=SMALLEST_KEY, le=LARGEST_KEY)]
_Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
BLANK_IS_NONE = BeforeValidator(lambda given: given or None)
"""A form sends its empty fields too."""
AGES = {"1": "1 day", "7": "a week", "30": "a month", "365": "a year"}


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """The filter as it stands in the URL: texts, empty where nothing is asked for."""

    band: Annotated[Literal["", "high", "medium", "low"], Query()] = ""
    reason: Annotated[str, Query(max_length=80)] = ""
    category: Annotated[str, Query(max_length=200)] = ""
    edit: Annotated[str, Query(max_length=80)] = ""
    seller: Annotated[_Number | None, BLANK_IS_NONE, Query()] = None
    days: Annotated[Literal["", "1", "7", "30", "365"], Query()] = ""
    least: Annotated[_Price | None, BLANK_IS_NONE, Query()] = None
    most: Annotated[_Price | None, BLANK_IS_NONE, Query()] = None
    state: Annotated[State, Query()] = State.OPEN

    def filter(self, now: datetime) -> Filter:
        """Return what the catalog is asked for."""
        return Filter(
            band=self.band or None,
            reason=self.reason or None,
            category=self.category or None,
            edit=self.edit or None,
            seller_key=self.seller,
            posted_since_at=now - timedelta(days=int(self.days)) if self.days else None,
            least_price=self.least,
            most_price=self.most,
            state=self.state,
        )

    def query(self, **more: Any) -> str:
        """Return the filter as the query of a URL, with what is given added; empty if nothing is asked for."""
        named = {name: value for name, value in {**asdict(self), **more}.items() if value not in ("", None)}
        if named.get("state") == State.OPEN:
            del named["state"]
        return "?" + urlencode(named) if named else ""

    @classmethod
    def read(cls, query: str) -> QueueFilter:
        """Return the filter in the query of a URL; what cannot be read asks for everything."""
        names = {field.name for field in fields(cls)}
        given = {name: value for name, value in parse_qsl(query.removeprefix("?")) if name in names}
        try:
            return TypeAdapter(cls).validate_python(given)
        except ValidationError:
            return cls()
