"""What the API takes and gives, as its schema tells."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from data.catalog.cases.transitions import LONGEST_NOTE, Problem, Verdict
from data.tables.columns import MAX_URL_CHARS, MAX_URLS

MOST_PICTURES = 12


def _writable(text: str) -> str:
    """Refuse what no database can hold."""
    if "\0" in text:
        raise ValueError("holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("holds half of a character") from error
    return text


def _decoded(text: object) -> object:
    if not isinstance(text, str):
        return text
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("is not base64") from error


KeyText = Annotated[
    str,
    BeforeValidator(str),
    Field(pattern="^-?[0-9]+$", description="A key of 64 bits, as text: JavaScript's numbers have 53."),
]
Text = Annotated[str, AfterValidator(_writable)]
Picture = Annotated[
    bytes,
    BeforeValidator(
        _decoded, json_schema_input_type=Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
    ),
]


class RequestModel(BaseModel):
    """What callers send: a name that we do not know is a mistake."""

    model_config = ConfigDict(extra="forbid")


class ResponseModel(BaseModel):
    """What we tell."""


class ErrorResponse(ResponseModel):
    """Why something cannot be."""

    detail: str


class FieldError(ResponseModel):
    """What is wrong with one value."""

    loc: list[str | int]
    msg: str
    type: str


class ValidationErrorResponse(ResponseModel):
    """What is wrong with what was sent: a sentence, or a list of values."""

    detail: str | list[FieldError]


class HealthResponse(ResponseModel):
    """That the desk answers, and its catalog too."""

    status: Literal["ok"] = "ok"


class ListingRequest(RequestModel):
    """A listing as the table of listings describes it; times carry a zone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "listing_id": "A-1", "seller_id": "ann", "created_at": "2026-03-01T12:30:00Z",
                    "title": "Road bicycle", "price": 250, "currency": "EUR", "category": "bikes",
                    "image_urls": ["https://example.org/bicycle.jpg"],
                }
            ]
        }
    )  # fmt: skip

    listing_id: Text
    seller_id: Text
    created_at: Text = Field(description="When the seller posted it, ISO 8601 with a zone.")
    observed_at: Text | None = Field(None, description="Since when it is known; now if it is not said.")
    image_urls: list[Annotated[Text, Field(max_length=MAX_URL_CHARS)]] = Field(
        default=[], max_length=MAX_URLS, description="http(s) addresses; never paths."
    )
    marketplace: Text | None = None
    title: Text | None = None
    description: Text | None = None
    category: Text | None = None
    location: Text | None = None
    url: Text | None = None
    price: Text | Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    currency: Text | None = None
    pictures: list[Picture] = Field(
        default=[], max_length=MOST_PICTURES, description="Picture files in base64, beside or instead of addresses."
    )


class Reason(ResponseModel):
    """Why a score is what it is."""

    code: str
    text: str
    value: JsonValue
    evidence_ids: list[str]


class Match(ResponseModel):
    """A picture like one of the listing's, and who had shown it first."""

    image_id: str
    other_image_id: str
    other_listing_key: KeyText
    other_listing_id: str
    other_seller_id: str
    other_marketplace: str
    other_observed_at: datetime
    same_photo: float = Field(description="Probability of being the same photo.")
    edit: str
    sellers_sharing: int
    sightings: int


class UnreadPicture(ResponseModel):
    """A picture that could not be looked at."""

    picture: str
    why: str


class Score(ResponseModel):
    """What scoring says of a listing."""

    listing_key: KeyText
    as_of: datetime
    score: float = Field(description="Probability of fraud.")
    band: str
    model_id: str
    reasons: list[Reason]
    first_seller_key: KeyText | None = Field(description="Who had shown its photos first; null if nobody else.")
    first_listing_key: KeyText | None
    matched_images: int
    images: int


class ScoreResponse(Score):
    """A listing scored now; nothing of it is kept."""

    first_seller_id: str | None
    first_listing_id: str | None
    matches: list[Match]
    unread: list[UnreadPicture]


class QueueItem(ResponseModel):
    """A case of the queue."""

    listing_key: KeyText
    listing_id: str | None
    title: str | None
    seller_key: KeyText
    seller_id: str | None
    score: float
    band: str
    priority: float
    reason: str
    edit: str
    category: str | None
    price: float | None
    currency: str | None
    posted_at: datetime
    state: str
    claimed_by: str | None


class QueuePage(ResponseModel):
    """A page of the queue."""

    total: int
    page: int
    pages: int
    cases: list[QueueItem]


class CaseEvent(ResponseModel):
    """Something that was written about a listing."""

    verdict_id: str
    kind: str
    verdict: str
    said: str | None
    problem: str | None
    note: str | None
    actor: str
    decided_at: datetime
    about_id: str | None


class CasePicture(ResponseModel):
    """A picture of a listing."""

    image_id: str
    width: int
    height: int


class CaseResponse(ResponseModel):
    """A listing with all that is known for deciding on it."""

    listing_key: KeyText
    version: int = Field(description="To be sent back as seen_version with a verdict.")
    listing: dict[str, JsonValue]
    state: str | None = Field(description="Null for a listing that is no case.")
    claimed_by: str | None
    score: Score | None
    pictures: list[CasePicture]
    matches: list[Match]
    ruling: CaseEvent | None
    history: list[CaseEvent]
    second_reading: bool = Field(description="Whether somebody decided before, of which a second reviewer is not told.")


class VerdictRequest(RequestModel):
    """A verdict."""

    verdict: Verdict
    seen_version: int = Field(ge=0, le=2**31, description="The case's version when it was looked at.")
    problem: Problem | None = None
    note: Annotated[Text, Field(max_length=LONGEST_NOTE)] = ""
    second_reading: bool = Field(default=False, description="As the case says.")
    seconds: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] | None = None


class VerdictResponse(ResponseModel):
    """An event that was written."""

    verdict_id: str
    listing_key: KeyText
    version: int


class PictureUrlRequest(RequestModel):
    """Where a picture stands."""

    url: Annotated[Text, Field(min_length=1, max_length=MAX_URL_CHARS)]


class SearchHit(ResponseModel):
    """A known picture like the one asked about, at its earliest sighting."""

    rank: int
    image_id: str
    listing_key: KeyText
    listing_id: str
    seller_key: KeyText
    seller_id: str
    marketplace: str
    image_url: str | None
    observed_at: datetime
    same_photo: float
    edit: str
    found_by: str
    sightings: int
    sellers: int


class SearchResponse(ResponseModel):
    """The known pictures like one, the likeliest first."""

    compared: int = Field(description="Among how many known pictures.")
    hits: list[SearchHit]
