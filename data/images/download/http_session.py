"""The one HTTP session pictures come through: requests-hardened, with the gaps closed that it leaves.

A timeout on each ``recv`` is no bound: a server that sends one byte a second never trips it. Here every ``recv`` may
take only what is left until the deadline of the download, in TLS handshakes, headers and bodies alike, so a drip ends
on time and as a plain ``TimeoutError``, never as a short answer that looks complete.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import socket
import ssl
import time
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING

import certifi
import requests
from requests.adapters import HTTPAdapter
from requests_hardened.client import HTTPSession
from requests_hardened.config import Config
from requests_hardened.ip_filter_adapter import IPFilterAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.ssl_ import create_urllib3_context

from data.images.download.url_guard import DEFAULT_PORTS, Guard, refuse_ip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

    from data.images.fetch_outcome import Reason
    from data.settings import FetchSettings

logging.getLogger("requests_hardened").addHandler(logging.NullHandler())  # what it refuses is an outcome of ours
HOSTS_KEPT_OPEN = 64  # times the downloads of one host, this stays below the usual 1,024 open files
_deadline: ContextVar[float] = ContextVar("deadline")


class AddressRefusedError(requests.RequestException):
    """A name led to an address that must not be asked."""

    def __init__(self, reason: Reason, host: str) -> None:
        self.reason = reason
        super().__init__(f"{host} leads to an address that is not public")


def open_session(settings: FetchSettings, guard: Guard) -> requests.Session:
    """Open the session; it may be shared by threads, since it keeps no cookies and nothing else that changes."""
    config = Config(
        ip_filter_enable=False,  # mounted below, in our stricter form
        ip_filter_allow_loopback_ips=False,
        never_redirect=True,
        default_timeout=(settings.connect_timeout_s, settings.timeout_s),
    )
    session = _Session(config)
    session.trust_env = False  # no proxies, no .netrc
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update(
        {"User-Agent": settings.user_agent, "Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}
    )
    for scheme in DEFAULT_PORTS:
        session.mount(f"{scheme}://", _GuardedAdapter(scheme, guard, settings.threads))
    return session


@contextlib.contextmanager
def finish_within(seconds: float) -> Iterator[None]:
    """Give this thread's sockets a deadline, on the monotonic clock."""
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


def remaining_s() -> float:
    """Seconds left until the deadline.

    Raises
    ------
    TimeoutError
        When none are left.
    """
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for this download is used up")
    return left


class DeadlineSocket(socket.socket):
    """A connected socket whose reads end at the deadline."""

    @classmethod
    def adopt(cls, connected: socket.socket) -> Self:
        """Take over a connected socket."""
        family, kind, proto, timeout = connected.family, connected.type, connected.proto, connected.gettimeout()
        adopted = cls(family, kind, proto, fileno=connected.detach())
        adopted.settimeout(timeout)
        return adopted

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read what is there, waiting no longer than the deadline."""
        self.settimeout(remaining_s())
        return super().recv_into(*args, **kwargs)


class DeadlineTLSSocket(ssl.SSLSocket):
    """A TLS socket whose handshake and reads end at the deadline."""

    def do_handshake(self, block: bool = False) -> None:
        """Shake hands, waiting no longer than the deadline."""
        self.settimeout(remaining_s())
        super().do_handshake(block)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Read what is there, waiting no longer than the deadline."""
        self.settimeout(remaining_s())
        return super().recv_into(*args, **kwargs)


class _DeadlineHTTP(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return DeadlineSocket.adopt(super()._new_conn())


class DeadlineHTTPPool(HTTPConnectionPool):
    """Connections that keep the deadline."""

    ConnectionCls = _DeadlineHTTP


class _DeadlineHTTPS(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return DeadlineSocket.adopt(super()._new_conn())


class DeadlineHTTPSPool(HTTPSConnectionPool):
    """TLS connections that keep the deadline."""

    ConnectionCls = _DeadlineHTTPS


class _GuardedAdapter(IPFilterAdapter):  # type: ignore[misc]  # it comes without types
    """Resolves a name once, judges the address, and connects to that very address.

    requests-hardened pins and filters; this adds what its filter lets pass (IPv4-compatible IPv6, cloud services on
    public addresses), hosts the operator vouches for, and the deadline. The URL's spelling is judged here once more,
    as the client has read it.
    """

    def __init__(self, scheme: str, guard: Guard, threads: int) -> None:
        self._scheme = scheme
        self._guard = guard
        self._threads = threads
        super().__init__(is_https_proto=scheme == "https")

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        if self._scheme == "https":
            pool_kwargs["ssl_context"] = _tls_context()
        super().init_poolmanager(HOSTS_KEPT_OPEN, self._threads, block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": DeadlineHTTPPool, "https": DeadlineHTTPSPool}

    def cert_verify(self, conn: Any, url: str, verify: bool | str | None, cert: Any) -> None:
        """Verify always, with the certificates the shared context has loaded once."""
        conn.cert_reqs = "CERT_REQUIRED"

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: bool | str | None, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        named = HTTPAdapter.build_connection_pool_key_attributes(self, request, verify, cert)  # type: ignore[arg-type]
        host, port = str(named[0]["host"] or ""), named[0]["port"] or DEFAULT_PORTS[self._scheme]
        reason = self._guard.refuse_host(host, port)
        if reason is not None:
            raise AddressRefusedError(reason, host)
        if self._guard.allows(host, port):
            return named  # type: ignore[return-value]
        host_params, pool_kwargs = super().build_connection_pool_key_attributes(request, verify, cert)
        reason = refuse_ip(ipaddress.ip_address(host_params["host"].strip("[]")))
        if reason is not None:
            raise AddressRefusedError(reason, host)
        return host_params, pool_kwargs


class _Session(HTTPSession):  # type: ignore[misc]  # it comes without types
    """A session that follows nothing by itself.

    requests reads the whole body of a redirect, decoding it on the way, just to learn where it leads: a stranger's
    endless or exploding redirect would be swallowed before anyone could measure it.
    """

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """Prepare without what this session never has: cookies, credentials, parameters, bodies, hooks."""
        prepared = requests.PreparedRequest()
        prepared.prepare(method=request.method, url=request.url, headers={**self.headers, **request.headers})
        return prepared


def _tls_context() -> ssl.SSLContext:
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = DeadlineTLSSocket
    return context
