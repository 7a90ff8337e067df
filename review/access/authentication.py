"""How users sign in: by a one-time token on this machine, a trusted proxy, or an OpenID Connect provider."""

from __future__ import annotations

import getpass
import hmac
import secrets
import threading
from ipaddress import ip_address
from typing import TYPE_CHECKING, Protocol

from data.errors import SettingsError
from review.access.roles import Role, User, known_user
from review.access.sessions import COOKIE, Session, Sessions

if TYPE_CHECKING:
    from starlette.requests import Request

    from data.settings import DeskSettings

SHORTEST_SECRET = 16
PROXY_SECRET_HEADER = "X-Seenbefore-Secret"  # noqa: S105  the header's name


class Authenticator(Protocol):
    """Says whose request it is."""

    def session(self, request: Request) -> Session | None:
        """Return the session of a request; ``None`` if its sender must sign in first."""


class TokenAuthenticator:
    """For one person on this machine: a token, printed at the start, opens one session and is worth nothing after.

    Parameters
    ----------
    sessions
        Signs the cookies.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._token = secrets.token_urlsafe(24)
        self._used = threading.Lock()

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
        if not self._used.acquire(blocking=False):
            return None
        return self._sessions.begin(User(getpass.getuser(), Role.LEAD))


class ProxyAuthenticator:
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
        user = known_user(request.headers.get(self._settings.proxy_user_header, ""), self._settings)
        # One number a person is enough: whoever can read one of their pages can already act as them.
        return None if user is None else Session(user, user.name, self._sessions.csrf_token_of(user.name))


class OidcAuthenticator:
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
        session = self._sessions.read(request.cookies.get(COOKIE, ""))
        user = known_user(session.user.name, self._settings) if session else None
        return None if session is None or user is None else Session(user, session.number, session.csrf_token)

    @property
    def sign_in_secret(self) -> str:
        """Signs what the browser keeps on its way to the provider and back."""
        return self._sessions.secret_for("the way to the provider and back")

    def begin(self, name: str) -> str | None:
        """Return the cookie of a new session for somebody the provider named; ``None`` if nobody knows them."""
        user = known_user(name, self._settings)
        return None if user is None else self._sessions.begin(user)


def authenticator_for(settings: DeskSettings, sessions: Sessions, host: str) -> Authenticator:
    """Choose how users sign in, as the settings say.

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
        return ProxyAuthenticator(settings, sessions)
    return OidcAuthenticator(settings, sessions) if by_provider else TokenAuthenticator(sessions)


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
