"""One download, from an address a stranger wrote to a picture in the store or a reason why not."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from requests.utils import requote_uri

from data.errors import StoreError
from data.images.decode import SNIFF_BYTES, sniff
from data.images.download.circuit_breaker import CircuitBreaker, CircuitOpenError, RetryAfter
from data.images.download.http_errors import explain, explain_status, retry_after_s
from data.images.download.http_session import finish_within, remaining_s
from data.images.fetch_outcome import FetchOutcome, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from data.images.download.url_guard import Guard
    from data.images.fetch_outcome import Revalidation
    from data.images.store.image_store import ImageStore
    from data.settings import FetchSettings

MAX_REDIRECTS = 3
ATTEMPTS_IN_RUN = 3
BACKOFF_S = 0.25
READ_BYTES = 1 << 18
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRIED_AGAIN = frozenset({Reason.CONNECTION_RESET, Reason.HTTP_SERVER_ERROR, Reason.RATE_LIMITED})
_PACKED = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd"})


class _NoPictureError(Exception):
    """The server's answer brings no picture."""

    def __init__(self, reason: Reason, detail: str, http_status: int, wait_s: float | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.http_status = http_status
        self.wait_s = wait_s


class Downloader:
    """Downloads pictures; may be shared by threads.

    Parameters
    ----------
    settings
        Bounds and names.
    guard
        Which addresses may be asked.
    session
        From `data.images.download.http_session.open_session`.
    store
        Where pictures are kept.
    hold
        Lets all pictures of a host wait for some seconds.
    """

    def __init__(
        self,
        settings: FetchSettings,
        guard: Guard,
        session: requests.Session,
        store: ImageStore,
        *,
        hold: Callable[[str, float], None],
    ) -> None:
        self._settings = settings
        self._guard = guard
        self._session = session
        self._store = store
        self._hold = hold
        self._retry_after = RetryAfter()
        self._circuit_breaker = CircuitBreaker()

    def download(self, url: str, host: str, known: Revalidation | None = None) -> FetchOutcome:
        """Download one picture, within the total time the settings allow, pauses and second tries included.

        Parameters
        ----------
        url
            An address the guard has not refused.
        host
            Its host: one that asked us to stay away is not asked meanwhile.
        known
            What an earlier fetch left; an unchanged picture is then not sent again.

        Raises
        ------
        StoreError
            When the store cannot be read or written.
        """
        away_s = self._retry_after.left_s(host)
        if away_s > 0:
            return FetchOutcome(
                url, Reason.RATE_LIMITED, "The server asked us to stay away for now.", retry_after_s=away_s, asked=False
            )
        with finish_within(self._settings.timeout_s):
            return self._try_again_and_again(url, host, known)

    def _try_again_and_again(self, url: str, host: str, known: Revalidation | None) -> FetchOutcome:
        outcome = self._try_and_note(url, host, known)
        for attempt in range(1, ATTEMPTS_IN_RUN):
            pause_s = self._pause_s(outcome, attempt)
            if pause_s is None:
                break
            time.sleep(pause_s)
            outcome = self._try_and_note(url, host, known)
        return outcome

    def _try_and_note(self, url: str, host: str, known: Revalidation | None) -> FetchOutcome:
        outcome = self._try_once(url, known)
        if outcome.http_status is not None and (wait_s := self._retry_after.note(host, outcome.retry_after_s)):
            self._hold(host, wait_s)
        return outcome

    def _pause_s(self, outcome: FetchOutcome, attempt: int) -> float | None:
        """How long to wait before trying again; ``None`` when it is not worth it or time would run out."""
        if outcome.reason not in _TRIED_AGAIN:
            return None
        pause_s = BACKOFF_S * 2 ** (attempt - 1)
        if outcome.retry_after_s is not None:
            if outcome.retry_after_s >= self._settings.max_retry_after_s:
                return None
            pause_s = outcome.retry_after_s
        with contextlib.suppress(TimeoutError):
            return pause_s if pause_s < remaining_s() else None
        return None

    def _try_once(self, url: str, known: Revalidation | None) -> FetchOutcome:
        try:
            held = self._held(known)
            with contextlib.closing(self._follow(url, _conditions(held))) as response:
                return self._take(url, response, held)
        except StoreError:
            raise
        except _NoPictureError as answer:
            return FetchOutcome(url, answer.reason, answer.detail, answer.http_status, retry_after_s=answer.wait_s)
        except CircuitOpenError as open_circuit:
            return FetchOutcome(url, open_circuit.reason, str(open_circuit), asked=False)
        except Exception as error:  # noqa: BLE001  the border of one picture: whatever it is, it is recorded
            reason, detail = explain(error)
            return FetchOutcome(url, reason, detail)

    def _held(self, known: Revalidation | None) -> Revalidation | None:
        """Keep what may be asked about: a version with a name, whose picture we still hold."""
        if known is None or not (known.etag or known.last_modified):
            return None
        return known if self._store.exists(known.image_id) else None

    def _follow(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Ask, and ask again where redirects lead; every hop is judged like the first address."""
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(url, headers)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not location:
                return response
            response.close()
            url = _redirect_target(url, location)
            reason = self._guard.refuse_url(url)
            if reason is not None:
                raise _NoPictureError(reason, "A redirect leads where we do not go.", response.status_code)
        raise _NoPictureError(Reason.TOO_MANY_REDIRECTS, f"More than {MAX_REDIRECTS} redirects.", response.status_code)

    def _ask(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Ask one address, unless its host has long been silent."""
        self._circuit_breaker.check(url)
        left_s = remaining_s()
        try:
            response = self._session.get(
                url,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(min(self._settings.connect_timeout_s, left_s), left_s),
            )
        except Exception as error:
            self._circuit_breaker.note(url, explain(error)[0])
            raise
        self._circuit_breaker.note(url, None)
        return response

    def _take(self, url: str, response: requests.Response, held: Revalidation | None) -> FetchOutcome:
        """Turn the last answer into an outcome, keeping the picture it brings."""
        told = FetchOutcome(
            url,
            Reason.FETCHED,
            http_status=response.status_code,
            content_type=response.headers.get("Content-Type"),
            etag=response.headers.get("ETag"),
            last_modified=response.headers.get("Last-Modified"),
        )
        if response.status_code == 304 and held is not None:
            return replace(
                told,
                reason=Reason.UNCHANGED,
                image_id=held.image_id,
                etag=told.etag or held.etag,
                last_modified=told.last_modified or held.last_modified,
            )
        content = self._read_picture(response)
        return replace(told, image_id=self._store.put(content), n_bytes=len(content))

    def _read_picture(self, response: requests.Response) -> bytes:
        """Read a picture's bytes as they were sent, up to the cap, giving up as soon as it cannot be one."""
        self._judge_headers(response)
        status, max_bytes = response.status_code, self._settings.max_bytes
        content = bytearray(response.raw.read(min(SNIFF_BYTES, max_bytes), decode_content=False))
        if not content:
            raise _NoPictureError(Reason.EMPTY_BODY, "The answer has no body.", status)
        if sniff(content) is None:
            raise _NoPictureError(Reason.NOT_AN_IMAGE, "The body does not begin like a picture.", status)
        while chunk := response.raw.read(min(READ_BYTES, max_bytes + 1 - len(content)), decode_content=False):
            content += chunk
            if len(content) > max_bytes:
                raise self._too_large(status)
        return bytes(content)

    def _judge_headers(self, response: requests.Response) -> None:
        """Refuse an answer that its own headers rule out."""
        status = response.status_code
        if status != 200:
            wait_s = retry_after_s(response.headers, self._settings.max_retry_after_s)
            raise _NoPictureError(*explain_status(status), status, wait_s if status in {429, 503} else None)
        encodings = response.headers.get("Content-Encoding", "").lower().split(",")
        if not _PACKED.isdisjoint(encoding.strip() for encoding in encodings):
            raise _NoPictureError(Reason.ENCODED_BODY, "The body is packed though we asked for it plain.", status)
        if (response.raw.length_remaining or 0) > self._settings.max_bytes:
            raise self._too_large(status)

    def _too_large(self, status: int) -> _NoPictureError:
        return _NoPictureError(Reason.TOO_LARGE, f"The file is larger than {self._settings.max_bytes} bytes.", status)


def _conditions(held: Revalidation | None) -> dict[str, str]:
    """Headers that ask for a picture only if it changed."""
    if held is None:
        return {}
    asked = {"If-None-Match": held.etag, "If-Modified-Since": held.last_modified}
    return {name: value for name, value in asked.items() if value}


def _redirect_target(url: str, location: str) -> str:
    """Where a redirect leads; header bytes are UTF-8, as browsers have it. What cannot be joined is left as it is."""
    text = requote_uri(location.encode("latin-1", "replace").decode("utf-8", "replace"))
    try:
        return urljoin(url, text).partition("#")[0]
    except ValueError:
        return text
