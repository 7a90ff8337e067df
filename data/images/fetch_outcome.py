"""What became of one picture's address: a value that is stored, never an exception."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from data.visible_text import visible

DETAIL_CHARS = 200


class FetchStatus(StrEnum):
    """What the next run does with an address."""

    OK = "ok"  # the picture is in the store
    FAILED = "failed"  # worth another try
    REFUSED = "refused"  # never asked again
    GONE = "gone"  # the server says it is no longer there


class Reason(StrEnum):
    """Why an address ended as it did; each reason belongs to exactly one status."""

    FETCHED = "fetched"
    UNCHANGED = "unchanged"

    BAD_URL = "bad_url"
    BAD_CHARACTERS = "bad_characters"
    SCHEME = "scheme"
    CREDENTIALS = "credentials"
    PORT = "port"
    BAD_HOST = "bad_host"
    LOCAL_NAME = "local_name"
    PRIVATE_ADDRESS = "private_address"
    METADATA_ADDRESS = "metadata_address"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    TOO_LARGE = "too_large"
    ENCODED_BODY = "encoded_body"
    NOT_AN_IMAGE = "not_an_image"
    OUTSIDE_ROOT = "outside_root"
    NOT_A_FILE = "not_a_file"

    NOT_FOUND = "not_found"
    REMOVED = "removed"

    DNS = "dns"
    CONNECT = "connect"
    CONNECT_TIMEOUT = "connect_timeout"
    TIMEOUT = "timeout"
    TLS = "tls"
    CONNECTION_RESET = "connection_reset"
    TRUNCATED = "truncated"
    EMPTY_BODY = "empty_body"
    BAD_RESPONSE = "bad_response"
    RATE_LIMITED = "rate_limited"
    HTTP_CLIENT_ERROR = "http_client_error"
    HTTP_SERVER_ERROR = "http_server_error"
    HTTP_UNEXPECTED = "http_unexpected"
    MISSING_FILE = "missing_file"
    UNREADABLE_FILE = "unreadable_file"
    UNEXPECTED = "unexpected"

    @property
    def status(self) -> FetchStatus:
        """The status that follows from the reason."""
        if self in _ARRIVED:
            return FetchStatus.OK
        if self in _REFUSALS:
            return FetchStatus.REFUSED
        if self in _GONE:
            return FetchStatus.GONE
        return FetchStatus.FAILED


_ARRIVED = frozenset({Reason.FETCHED, Reason.UNCHANGED})
_GONE = frozenset({Reason.NOT_FOUND, Reason.REMOVED})
_REFUSALS = frozenset(
    {
        Reason.BAD_URL,
        Reason.BAD_CHARACTERS,
        Reason.SCHEME,
        Reason.CREDENTIALS,
        Reason.PORT,
        Reason.BAD_HOST,
        Reason.LOCAL_NAME,
        Reason.PRIVATE_ADDRESS,
        Reason.METADATA_ADDRESS,
        Reason.TOO_MANY_REDIRECTS,
        Reason.TOO_LARGE,
        Reason.ENCODED_BODY,
        Reason.NOT_AN_IMAGE,
        Reason.OUTSIDE_ROOT,
        Reason.NOT_A_FILE,
    }
)


@dataclass(frozen=True, slots=True)
class FetchOutcome:
    """What became of one address.

    Parameters
    ----------
    url
        The address as it was given: a URL, or a path below the images root.
    reason
        Why it ended so; `Reason.status` follows from it.
    detail
        One short sentence for people, made visible and cut at 200 characters.
    http_status
        The last answer's status code; ``None`` if no answer came.
    image_id
        SHA-256 of the bytes, in hex; ``None`` unless the status is ``ok``.
    content_type, etag, last_modified
        What the server said, made visible; ``None`` if it said nothing. Nothing is decided by the content type.
    n_bytes
        Size of the picture file; ``None`` unless its bytes were read.
    retry_after_s
        How long the server asked us to stay away, in seconds, capped by the settings; ``None`` if it did not.
    asked
        Whether anybody was asked at all; where not, the outcome says how others of the host ended.

    Attributes
    ----------
    status
        Follows from the reason.
    """

    url: str
    reason: Reason
    detail: str = ""
    http_status: int | None = None
    image_id: str | None = None
    content_type: str | None = None
    n_bytes: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    retry_after_s: float | None = None
    asked: bool = True
    status: FetchStatus = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status", self.reason.status)
        for name in ("detail", "content_type", "etag", "last_modified"):
            text = getattr(self, name)
            if text is not None:
                object.__setattr__(self, name, visible(text, DETAIL_CHARS))


@dataclass(frozen=True, slots=True)
class Revalidation:
    """What an earlier fetch left behind to ask "has it changed?" with.

    Parameters
    ----------
    image_id
        The picture that stood at the address then.
    etag, last_modified
        What the server called that version; ``None`` if it did not.
    """

    image_id: str
    etag: str | None = None
    last_modified: str | None = None
