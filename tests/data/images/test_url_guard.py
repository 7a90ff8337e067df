"""Which addresses are refused before any socket."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import SettingsError
from data.images.download.url_guard import check_address, refuse_ip
from data.images.fetch_outcome import FetchStatus, Reason
from tests.data.images.private_addresses import SPELLINGS


@pytest.fixture(autouse=True)
def no_name_is_resolved(monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a name was resolved")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize(
    "url",
    [
        "http://photos.example.com/a.jpg",
        "https://photos.example.com:443/a.jpg?size=2#top",
        "https://1.1.1.1/a.jpg",
        "http://[2606:4700::1111]/a.jpg",
        "https://bücher.example.com/bild.jpg",
        "https://xn--bcher-kva.example.com./bild.jpg",
        "https://img_1.example.com/ä.jpg",
    ],
)
def test_public_addresses_may_be_asked(url):
    assert check_address(url) is None


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", Reason.SCHEME),
        ("photo.jpg", Reason.SCHEME),
        ("//example.com/a.jpg", Reason.SCHEME),
        ("file:///etc/passwd", Reason.SCHEME),
        ("gopher://example.com/", Reason.SCHEME),
        ("data:image/png;base64,AAAA", Reason.SCHEME),
        ("http:example.com", Reason.BAD_URL),
        ("http:///a.jpg", Reason.BAD_URL),
        ("http://" + "a" * 5000, Reason.BAD_URL),
        ("http://example.com:99999/", Reason.BAD_URL),
        ("http://[::1/", Reason.BAD_URL),
        ("http://example.com/a b.jpg", Reason.BAD_CHARACTERS),
        ("http://example.com/a\r\nHost: x", Reason.BAD_CHARACTERS),
        ("http://example.com\\@127.0.0.1/", Reason.BAD_CHARACTERS),
        ("http://exam\u200bple.com/", Reason.BAD_CHARACTERS),
        ("http://example.com/\ud800", Reason.BAD_CHARACTERS),
        ("http://user:secret@example.com/", Reason.CREDENTIALS),
        ("http://@example.com/", Reason.CREDENTIALS),
        ("http://example.com:22/", Reason.PORT),
        ("http://example.com:0/", Reason.PORT),
        ("http://localhost/", Reason.LOCAL_NAME),
        ("http://LOCALHOST./", Reason.LOCAL_NAME),
        ("http://a.localhost/", Reason.LOCAL_NAME),
        ("http://printer.local/", Reason.LOCAL_NAME),
        ("http://intranet/", Reason.LOCAL_NAME),
        ("http://db.corp.internal/", Reason.LOCAL_NAME),
        ("http://metadata.google.internal/", Reason.METADATA_ADDRESS),
        ("http://metadata/", Reason.METADATA_ADDRESS),
        ("http://168.63.129.16/", Reason.METADATA_ADDRESS),
        ("http://100.100.100.200/", Reason.METADATA_ADDRESS),
        ("http://[fd00:ec2::254]/", Reason.METADATA_ADDRESS),
        ("http://-a.example.com/", Reason.BAD_HOST),
        ("http://a..example.com/", Reason.BAD_HOST),
        ("http://127%2e0%2e0%2e1/", Reason.PRIVATE_ADDRESS),
    ],
)
def test_what_is_refused_says_why(url, reason):
    found = check_address(url)
    assert found is reason
    assert found.status is FetchStatus.REFUSED


@pytest.mark.parametrize("host", SPELLINGS)
def test_every_spelling_of_an_address_that_is_not_public_is_refused(host):
    assert check_address(f"http://{host}/") is not None


@given(st.from_regex(r"(0x[0-9a-f]{1,8}|0?[0-9]{1,10})(\.(0x[0-9a-f]{1,6}|0?[0-9]{1,6})){0,3}\.?", fullmatch=True))
def test_a_spelling_the_c_library_reads_as_an_address_is_refused_or_is_public_and_plain(host):
    refused = check_address(f"http://{host}/") is not None
    try:
        address = ipaddress.IPv4Address(socket.inet_aton(host.removesuffix(".")))
    except OSError:
        assert refused, "nothing that ends in a number is a DNS name"
        return
    if str(address) == host.removesuffix("."):
        assert refused == (refuse_ip(address) is not None)
    else:
        assert refused


@given(st.ip_addresses())
def test_what_python_calls_private_is_never_public(address):
    special = not address.is_global or address.is_multicast or address.is_reserved
    assert refuse_ip(address) is not None or not special
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    assert refuse_ip(address) is not None or mapped is None


@given(st.text())
def test_any_text_gets_an_answer(text):
    for url in (text, f"http://{text}", f"http://example.com/{text}", f"https://{text}.example.com"):
        assert check_address(url) is None or check_address(url).status is FetchStatus.REFUSED


def test_an_allowed_host_may_be_private_on_exactly_its_port():
    allowed = ("127.0.0.1:8000", "[::1]:9000", "images.internal")
    assert check_address("http://127.0.0.1:8000/a", allow_hosts=allowed) is None
    assert check_address("http://127.0.0.1:8001/a", allow_hosts=allowed) is Reason.PRIVATE_ADDRESS
    assert check_address("http://127.0.0.1/a", allow_hosts=allowed) is Reason.PRIVATE_ADDRESS
    assert check_address("http://127.0.0.2:8000/a", allow_hosts=allowed) is Reason.PRIVATE_ADDRESS
    assert check_address("http://2130706433:8000/a", allow_hosts=allowed) is Reason.BAD_HOST
    assert check_address("http://[0:0::1]:9000/a", allow_hosts=allowed) is None
    assert check_address("http://IMAGES.internal.:1234/a", allow_hosts=allowed) is None
    assert check_address("http://a.images.internal/a", allow_hosts=allowed) is Reason.LOCAL_NAME
    assert check_address("http://u@127.0.0.1:8000/a", allow_hosts=allowed) is Reason.CREDENTIALS


def test_every_malformed_allowed_host_is_named():
    with pytest.raises(SettingsError) as caught:
        check_address("http://example.com/", allow_hosts=("http://x/", "ok.example.com", "a b", "x:y"))
    assert len(caught.value.problems) == 3


def test_other_ports_may_be_allowed():
    assert check_address("http://example.com:8080/", allow_ports=(80, 8080)) is None


@pytest.mark.parametrize("name", ["ssrf_urls.txt", "ssrf_cloud_metadata.txt"])
def test_collected_attacks_are_refused_or_lead_to_a_public_name(shared, name):
    lines = (shared / "hostile" / "strings" / name).read_text().splitlines()
    attacks = [line for line in lines if line.startswith("http")]
    assert len(attacks) > 30
    asked = {urlsplit(url).hostname for url in attacks if check_address(url) is None}
    # What is left are names in the public DNS: they are judged again by what they resolve to.
    assert asked <= {
        "ssrf.localdomain.pw", "xip.io", "nip.io", "webcache.googleusercontent.com", "edoverflow.com", "www.google.com",
        "google.com",
    }  # fmt: skip
