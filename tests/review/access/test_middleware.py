"""What is refused whoever asks: forged forms, other sites, other hosts, large bodies, pictures that are not ours."""

from __future__ import annotations

import pytest

from data.catalog.cases.case_events import audit_page
from review.access.middleware import HEADERS, MOST_BYTES
from tests.review.market import listing_keys

PATHS_OF_TRICKS = (
    "/pictures/..%2f..%2fetc%2fpasswd",
    "/pictures/../../../etc/passwd",
    "/pictures/%2e%2e/%2e%2e/catalog.sqlite",
    f"/pictures/{'A' * 64}",
    f"/pictures/{'0' * 63}%00",
    f"/pairs/{'0' * 64}/{'1' * 64}/own",
    f"/pairs/{'0' * 64}/{'0' * 64}/../../own",
    "/static/../../app.py",
    "/static/%2e%2e/app.py",
    "/static/..%5capp.py",
    "/cases/9223372036854775808",
    "/cases/-99999999999999999999999",
    "/cases/1e9",
    "/cases/%00",
    "/verdicts/%27%20OR%201=1--/undo",
)


@pytest.fixture
def key(context):
    return listing_keys(context)[0]


@pytest.fixture
def nothing_is_written(context):
    def written():
        with context.catalog.read() as connection:
            return len(audit_page(connection, size=1_000))

    before = written()
    yield
    assert written() == before


FORM = {"verdict": "fraud", "seen_version": "0"}


@pytest.mark.parametrize("mark", [None, "", "0" * 64, "é", "x" * 10_000])
@pytest.mark.usefixtures("nothing_is_written")
def test_a_form_without_the_sessions_mark_is_refused(ada, key, mark):
    fields = FORM if mark is None else {**FORM, "csrf": mark}
    answer = ada.post(f"/cases/{key}/verdict", data=fields)
    assert answer.status_code == 403
    assert "nothing was changed" in answer.text


@pytest.mark.usefixtures("nothing_is_written")
def test_the_mark_of_somebody_elses_session_is_refused(ada, bob, key):
    assert ada.post(f"/cases/{key}/verdict", data={**FORM, "csrf": bob.csrf}).status_code == 403


@pytest.mark.usefixtures("nothing_is_written")
def test_json_cannot_take_the_place_of_a_form_and_its_mark(ada, key):
    answer = ada.post(f"/cases/{key}/verdict", json={**FORM, "csrf": ada.csrf})
    assert answer.status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "SAME-ORIGIN"])
@pytest.mark.usefixtures("nothing_is_written")
def test_what_another_sites_page_sends_is_refused_even_with_the_mark(ada, key, site):
    fields = {**FORM, "csrf": ada.csrf}
    answer = ada.post(f"/cases/{key}/verdict", data=fields, headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403
    assert "another site" in answer.text


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "10.0.0.1"])
def test_another_host_name_is_refused(ada, host):
    answer = ada.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "Bicycle" not in answer.text


@pytest.mark.usefixtures("nothing_is_written")
def test_a_body_that_is_larger_than_any_form_is_refused(ada, key):
    answer = ada.post_form(f"/cases/{key}/verdict", **FORM, note="x" * (MOST_BYTES + 1))
    assert answer.status_code == 413
    assert f"{MOST_BYTES:,} bytes" in answer.text


@pytest.mark.usefixtures("nothing_is_written")
def test_a_body_that_hides_its_size_is_refused_once_it_is_too_large(ada, key):
    def pieces():
        yield b"csrf=" + ada.csrf.encode() + b"&verdict=fraud&seen_version=0&note="
        for _ in range(12):
            yield b"x" * 100_000

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = ada.post(f"/cases/{key}/verdict", content=pieces(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.usefixtures("nothing_is_written")
def test_a_form_of_very_many_fields_is_refused(ada, key):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = ada.post(f"/cases/{key}/verdict", content="a=1&" * 50_000, headers=headers)
    assert answer.status_code in {400, 403}


@pytest.mark.parametrize("path", PATHS_OF_TRICKS)
@pytest.mark.usefixtures("nothing_is_written")
def test_a_path_that_plays_tricks_finds_nothing(ada, path):
    method = "POST" if path.startswith("/verdicts") else "GET"
    answer = ada.request(method, path, headers={"X-CSRF-Token": ada.csrf})
    assert answer.status_code in {404, 422}
    assert "root:" not in answer.text
    assert "create_app" not in answer.text


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page=99999999999999999999", "seller=9e99", "least=nan", "most=-1", "state=gone", "days=2",
     "band=%00", "reason=" + "x" * 1_000],
)  # fmt: skip
def test_a_filter_that_makes_no_sense_is_refused_on_a_page_of_ours(ada, query):
    answer = ada.get(f"/?{query}")
    assert answer.status_code == 422
    assert "<title>" in answer.text


def test_a_seller_number_beyond_any_key_finds_nobody(ada):
    assert ada.get("/?seller=99999999999999999999999").status_code in {200, 422}


def test_the_filter_form_sent_empty_shows_everything(ada):
    form = "band=&reason=&category=&edit=&days=&least=&most=&state=open"
    assert ada.get(f"/?{form}").text.count("data-case=") == ada.get("/").text.count("data-case=") > 0


@pytest.mark.parametrize("path", ["/", "/sign-in", "/cases/42", "/static/desk.css", "/nowhere", "/pictures/x"])
def test_every_answer_tells_browsers_to_run_only_our_files(ada, path):
    answer = ada.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_pages_are_kept_by_no_browser_and_pictures_for_a_day(ada, key):
    page = ada.get(f"/cases/{key}")
    assert page.headers["cache-control"] == "no-store"
    picture = page.text.split('src="/pictures/')[1].split('"')[0]
    assert "max-age=86400" in ada.get(f"/pictures/{picture}").headers["cache-control"]


@pytest.mark.parametrize("query", [{"told": "<b>x"}, {"reason": "<script>alert(1)</script>"}, {"category": '"><img>'}])
def test_what_stands_in_the_address_is_not_reflected_unescaped(ada, key, query):
    (sent,) = query.values()
    assert sent not in ada.get(f"/cases/{key}", params=query).text
    assert sent not in ada.get("/", params=query).text


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(app):
    from tests.review.conftest import Browser

    browser = Browser(app, None)
    token = app.state.desk.authenticator.token
    answer = browser.get("/sign-in", params={"token": token})
    assert answer.status_code == 303
    assert {"HttpOnly", "SameSite=lax"} <= set(answer.headers["set-cookie"].split("; "))
    assert Browser(app, None).get("/sign-in", params={"token": token}).status_code == 401
