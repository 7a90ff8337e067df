"""Who comes in, and by which way."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from starlette.requests import Request

from data.errors import SettingsError
from data.settings import DeskSettings
from review.access.authentication import OidcAuthenticator, ProxyAuthenticator, TokenAuthenticator, authenticator_for
from review.access.roles import Role, User, known_user
from review.access.sessions import COOKIE, LASTS_S, Sessions, stored_secret

SECRET = "0123456789abcdef"  # noqa: S105
PROXIED = DeskSettings(
    trusted_proxies=("10.0.0.7",), proxy_secret=SecretStr(SECRET), leads=("lea",), analysts=("ada",), viewers=("*",)
)


@pytest.fixture
def sessions():
    return Sessions(b"a secret")


def request(headers=None, *, peer="127.0.0.1"):
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "headers": raw, "client": (peer, 1), "method": "GET", "path": "/"})


def test_the_token_opens_one_session_and_is_worth_nothing_after(sessions):
    authenticator = TokenAuthenticator(sessions)
    assert authenticator.exchange("wrong") is None
    cookie = authenticator.exchange(authenticator.token)
    assert authenticator.session(request({"Cookie": f"{COOKIE}={cookie}"})).user.role is Role.LEAD
    assert authenticator.exchange(authenticator.token) is None


def test_a_cookie_that_is_not_ours_or_too_old_is_nobodys(sessions, monkeypatch):
    cookie = sessions.begin(User("ada", Role.ANALYST))
    assert sessions.read(cookie).user == User("ada", Role.ANALYST)
    assert Sessions(b"another").read(cookie) is None
    content, signature = cookie.rsplit(".", 1)  # of its last character some bits are no part of it
    assert sessions.read(f"{content}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}") is None
    assert sessions.read("") is None
    import time

    later = time.time() + LASTS_S + 60
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert sessions.read(cookie) is None


def test_two_sessions_never_share_what_their_forms_bring(sessions):
    first, second = (sessions.read(sessions.begin(User("ada", Role.ANALYST))) for _ in range(2))
    assert first.csrf_token != second.csrf_token


def test_the_proxy_is_believed_only_from_its_address_and_with_the_secret(sessions):
    authenticator = ProxyAuthenticator(PROXIED, sessions)
    good = {"X-Seenbefore-Secret": SECRET, "X-Forwarded-User": "ada"}
    assert authenticator.session(request(good, peer="10.0.0.7")).user == User("ada", Role.ANALYST)
    assert authenticator.session(request(good, peer="10.0.0.8")) is None
    assert authenticator.session(request(good | {"X-Seenbefore-Secret": "guess"}, peer="10.0.0.7")) is None
    assert authenticator.session(request({"X-Forwarded-User": "ada"}, peer="10.0.0.7")) is None
    assert authenticator.session(request(good, peer="not an address")) is None


@pytest.mark.parametrize(("name", "role"), [("lea", Role.LEAD), ("ada", Role.ANALYST), ("someone", Role.VIEWER)])
def test_people_have_the_highest_role_that_names_them(name, role):
    assert known_user(name, PROXIED).role is role


def test_nobody_without_a_name_comes_in(sessions):
    assert known_user("someone", DeskSettings(leads=("lea",))) is None
    named = {"X-Seenbefore-Secret": SECRET, "X-Forwarded-User": ""}
    assert ProxyAuthenticator(PROXIED, sessions).session(request(named, peer="10.0.0.7")) is None


def test_who_is_no_longer_named_is_out_at_once(sessions):
    before = OidcAuthenticator(DeskSettings(oidc_issuer="https://id.test", analysts=("ada",)), sessions)
    after = OidcAuthenticator(DeskSettings(oidc_issuer="https://id.test", analysts=("bob",)), sessions)
    came = request({"Cookie": f"{COOKIE}={before.begin('ada')}"})
    assert before.session(came).user == User("ada", Role.ANALYST)
    assert after.session(came) is None
    assert before.begin("mallory") is None


@pytest.mark.parametrize(
    ("settings", "host", "named"),
    [
        (DeskSettings(), "0.0.0.0", "stays on this machine"),  # noqa: S104
        (DeskSettings(), "192.168.1.5", "stays on this machine"),
        (DeskSettings(trusted_proxies=("10.0.0.7",), leads=("lea",)), "127.0.0.1", "16 characters"),
        (DeskSettings(trusted_proxies=("gateway",), proxy_secret=SecretStr(SECRET), leads=("lea",)), "::1", "gateway"),
        (DeskSettings(trusted_proxies=("10.0.0.7",), proxy_secret=SecretStr(SECRET)), "127.0.0.1", "found none"),
        (PROXIED.model_copy(update={"oidc_issuer": "https://id.test"}), "127.0.0.1", "one of them"),
    ],
)
def test_a_desk_that_would_be_open_to_anybody_does_not_start(settings, host, named, sessions):
    with pytest.raises(SettingsError, match=named):
        authenticator_for(settings, sessions, host)


def test_the_settings_choose_the_way_in(sessions):
    assert isinstance(authenticator_for(DeskSettings(), sessions, "localhost"), TokenAuthenticator)
    assert isinstance(authenticator_for(PROXIED, sessions, "0.0.0.0"), ProxyAuthenticator)  # noqa: S104
    by_provider = DeskSettings(oidc_issuer="https://id.test", viewers=("*",))
    assert isinstance(authenticator_for(by_provider, sessions, "0.0.0.0"), OidcAuthenticator)  # noqa: S104


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path):
    path = tmp_path / "desk" / "secret"
    first = stored_secret(path)
    assert stored_secret(path) == first
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret"]
