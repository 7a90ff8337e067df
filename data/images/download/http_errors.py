"""What went wrong between us and a server, told from the exceptions of four libraries."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests
import urllib3.exceptions
from requests_hardened.ip_filter import InvalidIPAddress

from data.images.download.http_session import AddressRefusedError
from data.images.fetch_outcome import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The first row that fits any exception in the chain decides, so the more telling kinds stand first.
_KINDS: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Reason, str], ...] = (
    (InvalidIPAddress, Reason.PRIVATE_ADDRESS, "The name leads to an address that is not public."),
    (socket.gaierror, Reason.DNS, "The host name cannot be resolved."),
    (urllib3.exceptions.NewConnectionError, Reason.CONNECT, "No connection could be made."),
    (urllib3.exceptions.ConnectTimeoutError, Reason.CONNECT_TIMEOUT, "The connection took too long."),
    ((TimeoutError, urllib3.exceptions.ReadTimeoutError), Reason.TIMEOUT, "The download took too long."),
    ((ssl.SSLError, urllib3.exceptions.SSLError), Reason.TLS, "No trusted TLS connection could be made."),
    (http.client.IncompleteRead, Reason.TRUNCATED, "The body ended before its announced length."),
    (ConnectionError, Reason.CONNECTION_RESET, "The server broke off the connection."),
    (
        (UnicodeError, requests.exceptions.InvalidURL, urllib3.exceptions.LocationParseError),
        Reason.BAD_URL,
        "The address cannot be read.",
    ),
    (
        (http.client.HTTPException, urllib3.exceptions.HTTPError, requests.exceptions.InvalidHeader),
        Reason.BAD_RESPONSE,
        "The answer is not proper HTTP.",
    ),
    (OSError, Reason.CONNECT, "The network failed."),
)
_RETRY_SECONDS = re.compile(r"\s*([0-9]{1,9})\s*")


def explain(error: BaseException) -> tuple[Reason, str]:
    """Tell the reason and a sentence from an exception of the HTTP client.

    An exception nobody foresaw is `Reason.UNEXPECTED`, named by its type.
    """
    chain = list(_causes(error))
    for cause in chain:
        if isinstance(cause, AddressRefusedError):
            return cause.reason, "The name leads to an address that is refused."
    for kinds, reason, sentence in _KINDS:
        if any(isinstance(cause, kinds) and not _only_wraps(cause) for cause in chain):
            return reason, f"{sentence} ({type(chain[-1]).__name__})"
    return Reason.UNEXPECTED, f"{type(error).__name__}: {error}"


def explain_status(status: int) -> tuple[Reason, str]:
    """Tell the reason and a sentence from an answer that brings no picture."""
    if status == http.HTTPStatus.NOT_FOUND:
        return Reason.NOT_FOUND, "The server has nothing at this address."
    if status == http.HTTPStatus.GONE:
        return Reason.REMOVED, "The server says that this was removed."
    if status == http.HTTPStatus.TOO_MANY_REQUESTS:
        return Reason.RATE_LIMITED, "The server asks for fewer requests."
    if 400 <= status < 500:
        return Reason.HTTP_CLIENT_ERROR, f"The server answered {status}."
    if 500 <= status < 600:
        return Reason.HTTP_SERVER_ERROR, f"The server answered {status}."
    return Reason.HTTP_UNEXPECTED, f"The server answered {status} where a picture was asked for."


def retry_after_s(headers: Mapping[str, str], cap_s: float) -> float | None:
    """How long a server asks us to stay away, in seconds, at most ``cap_s``; ``None`` if it does not ask.

    A date is read against the answer's own ``Date``, so our clock plays no part; what cannot be read counts as the cap
    (RFC 9110, 10.2.3).
    """
    asked = headers.get("Retry-After")
    if asked is None:
        return None
    if seconds := _RETRY_SECONDS.fullmatch(asked):
        return min(float(seconds[1]), cap_s)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers["Date"])
        return min(max(wait.total_seconds(), 0.0), cap_s)
    except (KeyError, ValueError, TypeError, OverflowError):
        return cap_s


def _only_wraps(error: BaseException) -> bool:
    """Whether an exception says no more than that some other one came before it: requests' are all OSErrors."""
    return isinstance(error, requests.RequestException) and not isinstance(
        error, InvalidIPAddress | requests.exceptions.InvalidURL | requests.exceptions.InvalidHeader
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an exception and all it was raised from, wraps or carries, outermost first."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        linked = (current.__cause__, current.__context__, getattr(current, "reason", None), *current.args)
        waiting.extend(item for item in linked if isinstance(item, BaseException))
