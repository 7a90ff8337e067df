"""What a name resolves to is judged once, and that very address is dialled; TLS is verified and bounded."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
import socket
import ssl
import threading
import time

import pytest

from data.images.download.fetcher import Fetcher
from data.images.fetch_outcome import Reason
from data.images.store.image_store import ImageStore
from data.settings import FetchSettings
from tests.data.images.private_addresses import RESOLVED

PICTURE = b"\x89PNG\r\n\x1a\n a picture"
IMAGE_ID = hashlib.sha256(PICTURE).hexdigest()
PUBLIC = "1.2.3.4"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PICTURE) + PICTURE
true_getaddrinfo = socket.getaddrinfo


class Network:
    """A pretended Internet: names resolve as the test says, and every dialled address leads to one loopback server."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.answers = {}  # name → addresses, one for each time it is asked
        self.dialled = []
        self.heads = []
        self.reply = OK
        self.drip = False
        self.tls = None
        threading.Thread(target=self._accept, daemon=True).start()

    def resolve(self, host, port, *args, **kwargs):
        addresses = self.answers.get(host)
        if addresses is None:
            return true_getaddrinfo(host, port, *args, **kwargs)
        address = addresses.pop(0) if len(addresses) > 1 else addresses[0]
        if ":" in address:
            return [(socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port or 0, 0, 0))]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port or 0))]

    def dial(self, address, timeout=None, **_options):
        self.dialled.append(address)
        return socket.create_connection(self.listener.getsockname(), timeout)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _address = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(OSError):
            if self.tls is not None:
                client = self.tls.wrap_socket(client, server_side=True)
            with client, client.makefile("rb") as lines:
                while lines.readline():
                    head = itertools.takewhile(lambda line: line not in {b"\r\n", b""}, iter(lines.readline, None))
                    self.heads.append(b"".join(head).decode("latin-1"))
                    self._send(client)

    def _send(self, client):
        for part in (bytes([byte]) for byte in self.reply) if self.drip else [self.reply]:
            client.sendall(part)
            if self.drip:
                time.sleep(0.05)


@pytest.fixture
def network(monkeypatch):
    network = Network()
    monkeypatch.setattr(socket, "getaddrinfo", network.resolve)
    monkeypatch.setattr("urllib3.util.connection.create_connection", network.dial)
    yield network
    network.listener.close()


@pytest.fixture
def store(tmp_path):
    return ImageStore(str(tmp_path))


def fetch(store, url, **settings):
    with Fetcher(FetchSettings(threads=1, timeout_s=1.0, **settings), store) as fetcher:
        return fetcher.fetch([url])[0]


def test_the_judged_address_is_the_one_that_is_dialled(network, store):
    network.answers["photos.example.com"] = [PUBLIC, "127.0.0.1"]
    assert fetch(store, "http://photos.example.com/a.png").image_id == IMAGE_ID
    assert network.dialled == [(PUBLIC, 80)]
    assert "Host: photos.example.com\r\n" in network.heads[0]


def test_a_name_that_is_bound_anew_to_a_private_address_is_refused(network, store):
    network.answers["photos.example.com"] = [PUBLIC, "127.0.0.1"]
    with Fetcher(FetchSettings(threads=1), store) as fetcher:
        outcomes = [fetcher.fetch(["http://photos.example.com/a.png"])[0] for _ in range(2)]
    assert [outcome.reason for outcome in outcomes] == [Reason.FETCHED, Reason.PRIVATE_ADDRESS]
    assert network.dialled == [(PUBLIC, 80)]


@pytest.mark.parametrize(("address", "reason"), RESOLVED)
def test_a_name_that_leads_to_a_private_address_is_refused_on_every_hop(network, store, address, reason):
    network.answers = {"good.example.com": [PUBLIC], "evil.example.com": [address]}
    assert fetch(store, "http://evil.example.com/").reason is reason
    assert network.dialled == []
    network.reply = b"HTTP/1.1 302 Found\r\nLocation: http://evil.example.com/\r\nContent-Length: 0\r\n\r\n"
    assert fetch(store, "http://good.example.com/").reason is reason
    assert network.dialled == [(PUBLIC, 80)]


def test_a_name_nobody_knows_is_worth_another_try(network, store, monkeypatch):
    def unknown(*_args, **_kwargs):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert fetch(store, "http://photos.example.com/").reason is Reason.DNS


def test_no_proxy_and_no_password_file_of_ours_is_used(network, store, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine photos.example.com login us password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    network.answers["photos.example.com"] = [PUBLIC]
    assert fetch(store, "http://photos.example.com/a.png").reason is Reason.FETCHED
    assert "Authorization" not in network.heads[0]


@pytest.fixture
def certificate(network, tmp_path):
    """A certificate for photos.example.com that the server shows; its own authority."""
    x509 = pytest.importorskip("cryptography.x509", reason="TLS is not tested: cryptography is not installed")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "photos.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("photos.example.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + secret)
    network.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    network.tls.load_cert_chain(path)
    network.answers = {"photos.example.com": [PUBLIC], "other.example.com": [PUBLIC]}
    return path


def test_a_server_nobody_vouches_for_is_not_trusted(network, store, certificate):
    assert fetch(store, "https://photos.example.com/a.png").reason is Reason.TLS
    allowed = {"allow_hosts": ("photos.example.com",)}
    assert fetch(store, "https://photos.example.com/a.png", **allowed).reason is Reason.TLS


def test_a_trusted_server_is_trusted_for_its_own_name_only(network, store, certificate, monkeypatch):
    monkeypatch.setattr("certifi.where", lambda: str(certificate))
    assert fetch(store, "https://photos.example.com/a.png").image_id == IMAGE_ID
    assert network.dialled == [(PUBLIC, 443)]
    for settings in ({}, {"allow_hosts": ("other.example.com",)}):
        assert fetch(store, "https://other.example.com/a.png", **settings).reason is Reason.TLS


def test_a_drip_through_tls_ends_in_time(network, store, certificate, monkeypatch):
    monkeypatch.setattr("certifi.where", lambda: str(certificate))
    network.drip = True
    began_s = time.monotonic()
    assert fetch(store, "https://photos.example.com/a.png").reason is Reason.TIMEOUT
    assert time.monotonic() - began_s < 2.5


def test_a_server_that_never_shakes_hands_ends_in_time(network, store):
    network.answers["photos.example.com"] = [PUBLIC]
    began_s = time.monotonic()
    assert fetch(store, "https://photos.example.com/a.png").reason is Reason.TIMEOUT
    assert time.monotonic() - began_s < 2.5
