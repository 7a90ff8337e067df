"""Every route, asked by everybody: allowed or refused as this table says. A route that is not in it fails."""

from __future__ import annotations

import shutil

import pytest
from fastapi.routing import APIRoute

from review.access.authentication import TokenAuthenticator
from review.access.permissions import required_role
from review.access.roles import Role
from review.application import create_app
from tests.review.conftest import SESSIONS, Browser, opened
from tests.review.market import listing_keys

OPEN = None
LEAST = {
    ("GET", "/sign-in"): OPEN,
    ("POST", "/sign-out"): Role.VIEWER,
    ("GET", "/"): Role.VIEWER,
    ("GET", "/next"): Role.ANALYST,
    ("GET", "/cases/{key}"): Role.VIEWER,
    ("POST", "/cases/{key}/verdict"): Role.ANALYST,
    ("POST", "/cases/{key}/snooze"): Role.ANALYST,
    ("POST", "/cases/{key}/pair"): Role.ANALYST,
    ("POST", "/cases/{key}/release"): Role.ANALYST,
    ("POST", "/verdicts/{verdict_id}/undo"): Role.ANALYST,
    ("POST", "/verdicts/{verdict_id}/appeal"): Role.ANALYST,
    ("POST", "/verdicts/{verdict_id}/overturn"): Role.LEAD,
    ("POST", "/bulk"): Role.LEAD,
    ("GET", "/audit"): Role.VIEWER,
    ("GET", "/pictures/{image_id}"): Role.VIEWER,
    ("GET", "/pictures/{image_id}/large"): Role.VIEWER,
    ("GET", "/pairs/{image_id}/{other_image_id}/{view}"): Role.VIEWER,
    ("GET", "/sellers/{key}"): Role.VIEWER,
    ("GET", "/search"): Role.VIEWER,
    ("POST", "/search"): Role.VIEWER,
    ("GET", "/insight"): Role.VIEWER,
    ("GET", "/help"): Role.VIEWER,
    ("GET", "/export/{what}.{ending}"): Role.LEAD,
    ("GET", "/api/health"): OPEN,
    ("GET", "/api/openapi.json"): Role.VIEWER,
    ("GET", "/api/queue"): Role.VIEWER,
    ("GET", "/api/cases/{key}"): Role.VIEWER,
    ("POST", "/api/cases/{key}/verdict"): Role.ANALYST,
    ("POST", "/api/score"): Role.ANALYST,
    ("POST", "/api/similar"): Role.VIEWER,
}
NAMES = {Role.VIEWER: "vic", Role.ANALYST: "ada", Role.LEAD: "lea"}
WHO = (OPEN, *Role)
OTHER_METHODS = ("PUT", "PATCH", "DELETE", "TRACE")


def routes_of(app):
    """All routes as (method, path, route), those of included routers as well."""

    def walk(routes, prefix=""):
        for route in routes:
            if isinstance(route, APIRoute):
                yield from ((method, prefix + route.path, route) for method in sorted(route.methods))
            elif (inner := getattr(route, "original_router", None)) is not None:
                yield from walk(inner.routes, prefix + route.include_context.prefix)

    return list(walk(app.router.routes))


@pytest.fixture(scope="module")
def market(market_home, tmp_path_factory):
    with opened(shutil.copytree(market_home, tmp_path_factory.mktemp("asked") / "home")) as context:
        yield create_app(context, TokenAuthenticator(SESSIONS)), context


def test_every_route_stands_in_the_table_with_the_role_that_it_declares(market):
    declared = {(method, path): required_role(route.dependant) for method, path, route in routes_of(market[0])}
    assert declared == LEAST


def filled(path, context):
    image_id = "0" * 64
    values = {
        "key": listing_keys(context)[0], "image_id": image_id, "other_image_id": image_id, "view": "own",
        "verdict_id": "none", "seller_key": 42, "what": "verdicts", "ending": "csv",
    }  # fmt: skip
    return path.format(**values)


@pytest.mark.parametrize("role", WHO, ids=lambda role: role.name.lower() if role else "nobody")
@pytest.mark.parametrize(("method", "path"), LEAST, ids=lambda part: part)
def test_a_route_lets_in_whom_the_table_says_and_nobody_else(market, method, path, role):
    app, context = market
    browser = Browser(app, NAMES.get(role), role or Role.VIEWER)
    answer = browser.request(method, filled(path, context), headers={"X-CSRF-Token": browser.csrf})
    least = LEAST[method, path]
    if least is OPEN:
        assert answer.status_code in {200, 401}
    elif role is OPEN:
        asked_to_sign_in = answer.status_code == 303 and answer.headers["location"] == "/sign-in"
        assert asked_to_sign_in or answer.status_code == 401
    elif role < least:
        assert answer.status_code == 403
        assert f"the role {least.name.lower()}; you are {role.name.lower()}" in answer.text
    else:
        assert answer.status_code in {200, 303, 404, 422}


@pytest.mark.parametrize("method", OTHER_METHODS)
@pytest.mark.parametrize("path", sorted({path for _, path in LEAST}))
def test_no_other_method_does_anything(market, method, path):
    app, context = market
    browser = Browser(app, "lea", Role.LEAD)
    answer = browser.request(method, filled(path, context), headers={"X-CSRF-Token": browser.csrf})
    assert answer.status_code == 405


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/static/", "/static/../app.py", "/.env"])
def test_what_no_route_names_is_not_there(market, path):
    answer = Browser(market[0], "lea", Role.LEAD).get(path)
    assert answer.status_code == 404
