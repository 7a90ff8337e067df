"""Signing in at a provider, which here is a small one of our own on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr
from starlette.testclient import TestClient

from data.errors import SettingsError
from data.settings import DeskSettings
from review.access.authentication import OidcAuthenticator
from review.access.sessions import COOKIE
from review.application import create_app
from review.pages import provider_page as pages
from tests.review.conftest import SESSIONS

CLIENT, PASSWORD = "desk", "a password"
PUBLIC = "https://desk.example.org"
OUR_KEY, STRANGERS_KEY = (RSAKey.generate_key(2048, parameters={"kid": "one"}) for _ in range(2))
ADA = {"sub": "17", "email": "ada@example.org", "email_verified": True}


class FakeProvider(ThreadingHTTPServer):
    """Knows one person; ``change`` spoils what it says."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_port}"
        self.metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/person",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        self.person, self.more = dict(ADA), {}
        self.change = {}
        self.key, self.signature = OUR_KEY, "RS256"
        self.ways = {}

    def let_in(self, location):
        """Sign the person in, and return what the browser is to ask the desk for."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self.ways)}"
        self.ways[code] = asked
        return f"{urlsplit(asked['redirect_uri']).path}?code={code}&state={asked['state']}"

    def token(self, form, authorization):
        """Answer a code with a token, if the proof key and the password are right."""
        way = self.ways.pop(form["code"][0], None)
        proof = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        expected = base64.b64encode(f"{CLIENT}:{PASSWORD}".encode()).decode()
        if (
            way is None
            or base64.urlsafe_b64encode(proof).rstrip(b"=").decode() != way["code_challenge"]
            or way["code_challenge_method"] != "S256"
            or authorization != f"Basic {expected}"
            or form["redirect_uri"][0] != way["redirect_uri"]
        ):
            return {"error": "invalid_grant"}
        now = int(time.time())
        said = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": way["nonce"], **self.person}
        said = {name: value for name, value in (said | self.change).items() if value is not None}
        signed = jwt.encode(
            {"alg": self.signature, "kid": "one"}, said, self.key, algorithms=["RS256", "HS256"], default_type=None
        )
        return {"access_token": "letmesee", "token_type": "Bearer", "id_token": signed}


class Answers(BaseHTTPRequestHandler):
    """What the provider answers."""

    def do_GET(self):
        pages = {
            "/.well-known/openid-configuration": self.server.metadata,
            "/keys": {"keys": [OUR_KEY.as_dict(private=False)]},
            "/person": self.server.more,
        }
        self.answer(pages.get(self.path))

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.answer(self.server.token(form, self.headers.get("Authorization")))

    def answer(self, said):
        body = json.dumps(said).encode()
        self.send_response(200 if said is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def provider():
    with FakeProvider() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def settings(provider):
    return DeskSettings(
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(PASSWORD),
        analysts=("ada@example.org", "ada"),
        public_url=PUBLIC,
    )


@pytest.fixture
def browser(context, settings, clock):
    def opened(**changed):
        return TestClient(
            _desk(context, settings.model_copy(update=changed), clock), base_url=PUBLIC, follow_redirects=False
        )

    return opened


def _desk(context, settings, clock):
    here = replace(context, settings=context.settings.model_copy(update={"desk": settings}))
    return create_app(here, OidcAuthenticator(settings, SESSIONS), clock)


def come_back(browser, provider):
    return browser.get(provider.let_in(browser.get(pages.PATH).headers["location"]))


def test_who_signs_in_at_the_provider_is_at_the_queue(browser, provider):
    ada = browser()
    assert f'href="{pages.PATH}"' in ada.get("/sign-in").text
    there = ada.get(pages.PATH)
    asked = parse_qs(urlsplit(there.headers["location"]).query)
    assert there.status_code == 302
    assert asked["redirect_uri"] == [f"{PUBLIC}/provider/back"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    back = ada.get(provider.let_in(there.headers["location"]))
    assert (back.status_code, back.headers["location"]) == (303, "/")
    assert SESSIONS.read(ada.cookies[COOKIE]).user.name == "ada@example.org"
    kept = [value.lower() for value in (*there.headers.get_list("set-cookie"), *back.headers.get_list("set-cookie"))]
    assert all("secure" in value and "httponly" in value and "samesite=lax" in value for value in kept)
    assert ada.get("/").status_code == 200


def test_a_code_counts_once(browser, provider):
    ada = browser()
    path = provider.let_in(ada.get(pages.PATH).headers["location"])
    assert ada.get(path).status_code == 303
    again = ada.get(path)
    assert again.status_code == 403
    assert "Begin again" in again.text


def test_a_code_counts_only_in_the_browser_that_asked_for_it(browser, provider):
    mallory, ada = browser(), browser()
    path = provider.let_in(mallory.get(pages.PATH).headers["location"])
    ada.get(pages.PATH)
    assert ada.get(path).status_code == 403
    assert COOKIE not in ada.cookies


def test_a_code_of_another_way_is_worth_nothing_without_its_proof_key(browser, provider):
    ada, mallory = browser(), browser()
    theirs = parse_qs(urlsplit(provider.let_in(ada.get(pages.PATH).headers["location"])).query)
    own = parse_qs(urlsplit(mallory.get(pages.PATH).headers["location"]).query)
    answer = mallory.get(f"{pages.PATH}/back?code={theirs['code'][0]}&state={own['state'][0]}")
    assert answer.status_code == 403
    assert COOKIE not in mallory.cookies


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"aud": "another", "azp": CLIENT},
        {"iss": "https://another.example.org"},
        {"exp": 1_000_000_000},
        {"exp": None},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_now_and_from_there_lets_nobody_in(browser, provider, change):
    provider.change = change
    ada = browser()
    answer = come_back(ada, provider)
    assert answer.status_code == 403
    assert "The provider did not sign you in" in answer.text
    assert COOKIE not in ada.cookies


@pytest.mark.parametrize(
    ("key", "signature"), [(STRANGERS_KEY, "RS256"), (OctKey.import_key(PASSWORD * 4), "HS256")], ids=["RS", "HS"]
)
def test_a_token_that_the_provider_did_not_sign_lets_nobody_in(browser, provider, key, signature):
    provider.key, provider.signature = key, signature
    ada = browser()
    assert come_back(ada, provider).status_code == 403
    assert COOKIE not in ada.cookies


def test_an_address_that_was_not_verified_names_nobody(browser, provider):
    provider.person["email_verified"] = False
    answer = come_back(browser(), provider)
    assert answer.status_code == 403
    assert "has not verified that ada@example.org is yours" in answer.text


def test_somebody_whom_the_settings_do_not_name_is_told_so(browser, provider):
    provider.person["email"] = "\u202eeve@example.org"
    answer = come_back(browser(), provider)
    assert answer.status_code == 403
    assert "⟨U+202E⟩eve@example.org, whom nobody has added" in answer.text


def test_a_provider_whose_token_is_short_is_asked_for_the_name(browser, provider):
    provider.more = {"sub": "17", "preferred_username": "ada"}
    ada = browser(oidc_claim="preferred_username")
    assert come_back(ada, provider).status_code == 303
    assert SESSIONS.read(ada.cookies[COOKIE]).user.name == "ada"
    provider.more["sub"] = "18"
    answer = come_back(browser(oidc_claim="preferred_username"), provider)
    assert answer.status_code == 403
    assert "two different people" in answer.text


def test_a_provider_that_refuses_is_quoted_without_what_would_not_be_seen(browser):
    answer = browser().get(f"{pages.PATH}/back?error=access_denied&error_description=no%E2%80%AE<b>way")
    assert answer.status_code == 403
    assert "access_denied: no⟨U+202E⟩&lt;b&gt;way" in answer.text


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:9", None])
def test_a_provider_that_is_not_there_or_calls_itself_otherwise_is_said_in_a_sentence(browser, provider, issuer):
    if issuer is None:
        provider.metadata["issuer"] = "https://another.example.org"
    answer = browser(**({"oidc_issuer": issuer} if issuer else {})).get(pages.PATH)
    assert answer.status_code == 503
    assert "The provider c" in answer.text


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"oidc_issuer": "http://id.example.org"}, "OIDC_ISSUER"),
        ({"oidc_issuer": "id.example.org"}, "OIDC_ISSUER"),
        ({"public_url": "http://desk.example.org"}, "PUBLIC_URL"),
        ({"oidc_client_id": ""}, "OIDC_CLIENT_ID"),
    ],
)
def test_settings_that_would_be_unsafe_are_refused_at_the_start(browser, change, named):
    with pytest.raises(SettingsError, match=named):
        browser(**change)


def test_without_the_library_a_sentence_says_what_to_install(browser, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "authlib.integrations.starlette_client", None)
    with pytest.raises(SettingsError, match=r"seenbefore\[oidc\]"):
        browser()
