"""The ways in: a one-time token on this machine, a trusted proxy, or an OpenID Connect provider."""

from __future__ import annotations

import getpass
import hmac
import secrets
import threading
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from data.errors import SettingsError
from review.access.roles import Person, Role, known_person
from review.access.sessions import COOKIE, Session, Sessions

if TYPE_CHECKING:
    from starlette.requests import Request

    from data.settings import DeskSettings

SHORTEST_SECRET = 16
PROXY_SECRET_HEADER = "X-Seenbefore-Secret"  # noqa: S105  the header's name


class Door(Protocol):
    """Says whose request it is."""

    def session(self, request: Request) -> Session | None:
        """Return the session of a request; ``None`` if its sender must sign in first."""


class LocalDoor:
    """For one person on this machine: a token, printed at the start, opens one session and is worth nothing after.

    Parameters
    ----------
    sessions
        Signs the cookies.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._token = secrets.token_urlsafe(24)
        self._taken = threading.Lock()

    @property
    def token(self) -> str:
        """The token, as it is printed."""
        return self._token

    def session(self, request: Request) -> Session | None:
        """Return the session that the request's cookie names."""
        return self._sessions.read(request.cookies.get(COOKIE, ""))

    def exchange(self, token: str) -> str | None:
        """Return the cookie of a new session for the token, the first time; else ``None``."""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        if not self._taken.acquire(blocking=False):
            return None
        return self._sessions.begin(Person(getpass.getuser(), Role.LEAD))


class ProxyDoor:
    """For a team behind a proxy that signs people in: it is believed if it comes from where it should, with the secret.

    Parameters
    ----------
    settings
        Addresses, secret and roles.
    sessions
        Only makes what forms must bring.
    """

    def __init__(self, settings: DeskSettings, sessions: Sessions) -> None:
        self._settings = settings
        self._sessions = sessions
        self._peers = frozenset(map(ip_address, settings.trusted_proxies))

    def session(self, request: Request) -> Session | None:
        """Return the session of the person that the proxy names; ``None`` if it is not the proxy, or names nobody."""
        given = request.headers.get(PROXY_SECRET_HEADER, "").encode()
        wanted = self._settings.proxy_secret.get_secret_value().encode()
        peer = request.client.host if request.client else ""
        if not _is_among(peer, self._peers) or not hmac.compare_digest(given, wanted):
            return None
        person = known_person(request.headers.get(self._settings.proxy_user_header, ""), self._settings)
        # One number a person is enough: whoever can read one of their pages can already act as them.
        return None if person is None else Session(person, person.name, self._sessions.csrf_of(person.name))


class ProviderDoor:
    """For a team that signs in at an OpenID Connect provider; `review.pages.provider_page` leads there and back.

    Parameters
    ----------
    settings
        Says who may do what; a person who is no longer named is out at once.
    sessions
        Signs the cookies.
    """

    def __init__(self, settings: DeskSettings, sessions: Sessions) -> None:
        self._settings = settings
        self._sessions = sessions

    def session(self, request: Request) -> Session | None:
        """Return the session that the request's cookie names, with the role that the person has now."""
        found = self._sessions.read(request.cookies.get(COOKIE, ""))
        person = known_person(found.person.name, self._settings) if found else None
        return None if found is None or person is None else Session(person, found.number, found.csrf)

    @property
    def way_secret(self) -> str:
        """Signs what the browser keeps on its way to the provider and back."""
        return self._sessions.secret_for("the way to the provider and back")

    def begin(self, name: str) -> str | None:
        """Return the cookie of a new session for somebody the provider named; ``None`` if nobody knows them."""
        person = known_person(name, self._settings)
        return None if person is None else self._sessions.begin(person)


def door_for(settings: DeskSettings, sessions: Sessions, host: str) -> Door:
    """Choose the way in that the settings ask for.

    Raises
    ------
    SettingsError
        The desk would be open to a network without anybody to say who comes in, or the settings contradict each other.
    """
    by_proxy, by_provider = bool(settings.trusted_proxies), bool(settings.oidc_issuer)
    problems = []
    if by_proxy and by_provider:
        problems.append("SEENBEFORE_DESK__TRUSTED_PROXIES and SEENBEFORE_DESK__OIDC_ISSUER: expected one of them")
    if by_proxy and len(settings.proxy_secret.get_secret_value()) < SHORTEST_SECRET:
        problems.append(f"SEENBEFORE_DESK__PROXY_SECRET: expected {SHORTEST_SECRET} characters or more")
    problems += [
        f"SEENBEFORE_DESK__TRUSTED_PROXIES: expected addresses such as 10.0.0.7, found {name!r}"
        for name in settings.trusted_proxies
        if not _is_address(name)
    ]
    if (by_proxy or by_provider) and not (settings.leads or settings.analysts or settings.viewers):
        problems.append(
            "SEENBEFORE_DESK__LEADS, __ANALYSTS and __VIEWERS: expected the names of those who may come in, found none"
        )
    if not (by_proxy or by_provider) and not is_loopback(host):
        problems.append(
            f"--host {host}: the desk stays on this machine until SEENBEFORE_DESK__TRUSTED_PROXIES or "
            "SEENBEFORE_DESK__OIDC_ISSUER says who may come in from elsewhere"
        )
    if problems:
        raise SettingsError(problems)
    if by_proxy:
        return ProxyDoor(settings, sessions)
    return ProviderDoor(settings, sessions) if by_provider else LocalDoor(sessions)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, seen from itself."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_among(peer: str, peers: frozenset[object]) -> bool:
    return _is_address(peer) and ip_address(peer) in peers
