"""Signing in at an OpenID Connect provider: there, and back with a code that is worth something only here."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
from fastapi import HTTPException, Request
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import Response

from data.errors import SettingsError
from review.access.authentication import is_loopback
from review.access.permissions import NotAllowed
from review.desk import address_of
from review.formatting import plain
from review.pages.sign_in_page import begin_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI

    from data.settings import DeskSettings
    from review.access.authentication import OidcAuthenticator

PATH = "/provider"
COOKIE = "seenbefore-provider"
SIGN_IN_S = 600
"""Longest time that somebody may stay at the provider."""
TIMEOUT_S = 10.0
SCOPE = "openid profile email"
SIGNATURES = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""What the provider signs with a key of its own. It may offer `none`, too, or a secret that it shares with others."""
LONGEST_REASON = 200


def add_to(app: FastAPI, authenticator: OidcAuthenticator, settings: DeskSettings) -> None:
    """Let people sign in at the provider that the settings name.

    Raises
    ------
    SettingsError
        The provider's address or ours cannot be used, or Authlib is not installed.
    """
    _check(settings)
    provider = Provider(_client(settings), authenticator, settings)
    app.add_api_route(PATH, provider.redirect, include_in_schema=False)
    app.add_api_route(f"{PATH}/back", provider.callback, include_in_schema=False)
    app.add_middleware(
        SessionMiddleware,
        secret_key=authenticator.sign_in_secret,
        session_cookie=COOKIE,
        max_age=SIGN_IN_S,
        path=PATH,
        same_site="lax",
        https_only=settings.public_url.startswith("https:"),
    )


@dataclass(frozen=True, slots=True)
class Provider:
    """The two steps of signing in.

    State, nonce and proof key of a way are made when it begins and kept in the browser's signed cookie, so that a code
    counts only in the browser that asked for it, once, and the token only for this way.

    Parameters
    ----------
    client
        Authlib's.
    authenticator
        Begins sessions.
    settings
        Name the provider, and us there.
    """

    client: Any
    authenticator: OidcAuthenticator
    settings: DeskSettings

    async def redirect(self, request: Request) -> Response:
        """Lead to the provider."""
        with _readable_errors():
            await self._metadata()
            answer: Response = await self.client.authorize_redirect(request, f"{address_of(request)}{PATH}/back")
        return answer

    async def callback(self, request: Request) -> Response:
        """Exchange the provider's code for who somebody is, and begin a session."""
        with _readable_errors():
            metadata = await self._metadata()
            token = await self.client.authorize_access_token(request, claims_options=_claims_options(self.settings))
            claims = await self._claims(token, "userinfo_endpoint" in metadata)
        name = _name(claims, self.settings.oidc_claim)
        cookie = self.authenticator.begin(name)
        if cookie is None:
            raise NotAllowed(f"You have signed in as {name}, whom nobody has added to the people of this desk.")
        return begin_session(request, cookie)

    async def _metadata(self) -> dict[str, Any]:
        """Return what the provider says of itself, which must be the one that the settings name."""
        metadata: dict[str, Any] = await self.client.load_server_metadata()
        if metadata.get("issuer") != self.settings.oidc_issuer:
            issuer = plain(metadata.get("issuer", "nothing"), LONGEST_REASON)
            raise HTTPException(503, f"The provider calls itself {issuer}; SEENBEFORE_DESK__OIDC_ISSUER must be that.")
        metadata["id_token_signing_alg_values_supported"] = SIGNATURES
        return metadata

    async def _claims(self, token: dict[str, Any], has_userinfo: bool) -> dict[str, Any]:
        """Return what the provider tells of a person: in its token, or if that does not name them, when asked."""
        claims: dict[str, Any] | None = token.get("userinfo")
        if not claims:
            raise NotAllowed("The provider sent no token that says who signed in.")
        if self.settings.oidc_claim in claims or not has_userinfo:
            return claims
        more: dict[str, Any] = await self.client.userinfo(token=token)
        if more.get("sub") != claims["sub"]:
            raise NotAllowed("The provider told of two different people. Begin again.")
        return more


def _check(settings: DeskSettings) -> None:
    problems = [
        f"SEENBEFORE_DESK__{name}: expected an address such as https://{example}, found {value!r}"
        for name, value, example in (
            ("OIDC_ISSUER", settings.oidc_issuer, "id.example.org"),
            ("PUBLIC_URL", settings.public_url, "desk.example.org"),
        )
        if value and not _is_safe(value)
    ]
    if not settings.oidc_client_id:
        problems.append("SEENBEFORE_DESK__OIDC_CLIENT_ID: expected our name at the provider, found nothing")
    if problems:
        raise SettingsError(problems)


def _is_safe(url: str) -> bool:
    """Tell whether nobody between us and an address can read or change what is sent."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def _client(settings: DeskSettings) -> Any:
    try:
        from authlib.integrations.starlette_client import OAuth
    except ImportError as error:
        problem = "SEENBEFORE_DESK__OIDC_ISSUER: signing in at a provider takes `pip install seenbefore[oidc]`"
        raise SettingsError([problem]) from error
    return OAuth().register(
        "provider",
        client_id=settings.oidc_client_id,
        # Without a password we are a public client, and the code is ours by the proof key alone.
        client_secret=settings.oidc_client_secret.get_secret_value() or None,
        server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
        client_kwargs={"scope": SCOPE, "code_challenge_method": "S256", "timeout": TIMEOUT_S},
    )


def _claims_options(settings: DeskSettings) -> dict[str, dict[str, Any]]:
    """Return what a token must say to be this provider's, and for us."""
    return {
        "iss": {"essential": True, "value": settings.oidc_issuer},
        "aud": {"essential": True, "value": settings.oidc_client_id},
    }


def _name(claims: dict[str, Any], claim: str) -> str:
    """Return the name of a person here."""
    name = claims.get(claim)
    if not isinstance(name, str) or not name.strip():
        raise NotAllowed(f"The provider does not tell your {claim}; SEENBEFORE_DESK__OIDC_CLAIM must name another.")
    if claim == "email" and claims.get("email_verified") is not True:
        raise NotAllowed(f"The provider has not verified that {name} is yours.")
    return name


@contextmanager
def _readable_errors() -> Iterator[None]:
    """Turn what goes wrong at the provider, or on the way, into an answer for people."""
    from authlib.integrations.starlette_client import OAuthError
    from joserfc.errors import JoseError

    try:
        yield
    except (OAuthError, JoseError) as error:
        raise NotAllowed(f"The provider did not sign you in: {plain(error, LONGEST_REASON)}. Begin again.") from error
    except (httpx.HTTPError, ValueError, KeyError, TypeError, RuntimeError) as error:
        reason = plain(str(error) or type(error).__name__, LONGEST_REASON)
        raise HTTPException(503, f"The provider cannot be understood: {reason}.") from error
