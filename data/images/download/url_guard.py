"""Which addresses may be asked at all: decided from the text before any socket, and again from the resolved address.

Listings are written by strangers, so an image URL is an attempt to make us knock on a door of the stranger's choice
until it is shown to lead to the public Internet (OWASP: server-side request forgery).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from data.errors import SettingsError
from data.images.fetch_outcome import Reason

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Self

    IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_CHARS = 4096
DEFAULT_PORTS = {"http": 80, "https": 443}

# Services that clouds offer to their own machines; the public ones are why "not private" is not enough.
_METADATA_ADDRESSES = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, Oracle, OpenStack, DigitalOcean
        "169.254.169.253",  # AWS resolver
        "169.254.170.2",  # AWS container credentials
        "169.254.170.23",  # AWS pod identity
        "169.254.0.23",  # Tencent
        "168.63.129.16",  # Azure's wire server, on a public address
        "100.100.100.200",  # Alibaba
        "192.0.0.192",  # Oracle classic
        "fd00:ec2::254",  # AWS
        "fd00:ec2::23",  # AWS pod identity
        "fd20:ce::254",  # Google
    )
)
_METADATA_NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.packet.net",
        "metadata.platformequinix.com",
        "metadata.tencentyun.com",
        "instance-data",
        "instance-data.ec2.internal",
    }
)
# RFC 6761, 6762, 8375 and 9476, and what company networks and container hosts use without asking anyone.
_LOCAL_SUFFIXES = frozenset(
    {
        *("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan"),
        *("test", "invalid", "onion", "alt", "arpa"),
    }
)
_IPV4_NOT_PUBLIC = tuple(
    ipaddress.IPv4Network(text)
    for text in ("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "224.0.0.0/3")
)
# Everything global lives in 2000::/3; mapped, compatible, NAT64, unique-local and link-local addresses do not.
_IPV6_GLOBAL = ipaddress.IPv6Network("2000::/3")
_IPV6_NOT_PUBLIC = tuple(
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")  # Teredo and ORCHID, documentation, 6to4
)
_AUTHORITY = re.compile(r"[a-z]+://([^/?#]+)", re.IGNORECASE)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
MAX_HOST_CHARS = 253


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides which addresses may be asked.

    Parameters
    ----------
    allowed
        Hosts for which the private-address and port rules are lifted; a port of ``None`` lifts them for every port.
    ports
        Ports that may be asked on all other hosts.
    """

    allowed: frozenset[tuple[str, int | None]]
    ports: frozenset[int]

    @classmethod
    def of(cls, allow_hosts: Iterable[str], allow_ports: Iterable[int]) -> Self:
        """Build a guard from settings: ``host``, ``host:port`` or ``[ipv6]:port``.

        Raises
        ------
        SettingsError
            Naming every entry that cannot be read.
        """
        return cls(_parse_allowed(tuple(allow_hosts)), frozenset(allow_ports))

    def allows(self, host: str, port: int) -> bool:
        """Whether the operator vouches for this host."""
        return bool(self.allowed) and not self.allowed.isdisjoint({(_plain(host), port), (_plain(host), None)})

    def refuse_url(self, url: str) -> Reason | None:
        """Why this URL must not be asked, or ``None``; opens no socket and asks no name server."""
        if len(url) > MAX_URL_CHARS:
            return Reason.BAD_URL
        if not url.isprintable() or " " in url or "\\" in url:
            return Reason.BAD_CHARACTERS
        if url.partition(":")[0].lower() not in DEFAULT_PORTS:
            return Reason.SCHEME
        authority = _AUTHORITY.match(url)
        if authority is None:
            return Reason.BAD_URL
        if "@" in authority[1]:
            return Reason.CREDENTIALS
        try:
            # The parser of the HTTP client itself: a second opinion would be a second reading.
            parts = parse_url(url)
        except LocationParseError:
            return Reason.BAD_URL
        port = DEFAULT_PORTS[parts.scheme or ""] if parts.port is None else parts.port
        return self.refuse_host(parts.host or "", port)

    def refuse_host(self, host: str, port: int) -> Reason | None:
        """Why this host and port must not be asked, or ``None``."""
        reason = refuse_host(host)
        if reason is Reason.BAD_HOST:
            return reason
        if self.allows(host, port):
            return None
        if reason is None and port not in self.ports:
            return Reason.PORT
        return reason


def check_address(
    url: str, *, allow_hosts: Collection[str] = (), allow_ports: Collection[int] = (80, 443)
) -> Reason | None:
    """Why a URL must not be asked, or ``None``; decided before any socket.

    Parameters
    ----------
    url
        Any text.
    allow_hosts
        ``host[:port]`` entries that may be private and on any port (or exactly the named one).
    allow_ports
        Ports that may be asked on other hosts.
    """
    return Guard.of(allow_hosts, allow_ports).refuse_url(url)


@lru_cache(maxsize=4096)
def refuse_host(host: str) -> Reason | None:
    """Why a host is not a public one, judged by its spelling alone.

    Only dotted-decimal IPv4 is read: whatever else ends in a number (octal, hexadecimal, one long integer) is no DNS
    name either, and resolvers disagree about it.
    """
    name = _plain(host)
    if ":" in name or host.startswith("["):
        return _refuse_ipv6_text(name)
    labels = name.split(".")
    if len(name) > MAX_HOST_CHARS or not all(_LABEL.fullmatch(label) for label in labels):
        return Reason.BAD_HOST
    if _NUMBER.fullmatch(labels[-1]):
        return _refuse_ipv4_text(name)
    if name in _METADATA_NAMES:
        return Reason.METADATA_ADDRESS
    if len(labels) == 1 or labels[-1] in _LOCAL_SUFFIXES:
        return Reason.LOCAL_NAME
    return None


def refuse_ip(address: IPAddress) -> Reason | None:
    """Why an address is not on the public Internet, or ``None``.

    IPv6 forms that carry an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) are refused whatever they carry.
    """
    if address in _METADATA_ADDRESSES:
        return Reason.METADATA_ADDRESS
    if isinstance(address, ipaddress.IPv4Address):
        public = address.is_global and not any(address in network for network in _IPV4_NOT_PUBLIC)
    else:
        public = (
            address.scope_id is None
            and address in _IPV6_GLOBAL
            and address.is_global
            and not any(address in network for network in _IPV6_NOT_PUBLIC)
        )
    return None if public else Reason.PRIVATE_ADDRESS


def _refuse_ipv4_text(text: str) -> Reason | None:
    try:
        return refuse_ip(ipaddress.IPv4Address(text))
    except ValueError:
        return Reason.BAD_HOST


def _refuse_ipv6_text(text: str) -> Reason | None:
    if "%" in text:  # a zone names one of our own interfaces
        return Reason.BAD_HOST
    try:
        return refuse_ip(ipaddress.IPv6Address(text))
    except ValueError:
        return Reason.BAD_HOST


def _plain(host: str) -> str:
    """Spell a host as it is compared: lower case, no brackets, no trailing dot, IPv6 in its shortest form."""
    name = host.lower().removesuffix(".")
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    if ":" not in name:
        return name
    try:
        return str(ipaddress.IPv6Address(name))
    except ValueError:
        return name


@lru_cache(maxsize=16)
def _parse_allowed(entries: tuple[str, ...]) -> frozenset[tuple[str, int | None]]:
    parsed = {entry: _parse_entry(entry) for entry in entries}
    problems = [f"fetch.allow_hosts: {entry!r} is not host[:port]" for entry, found in parsed.items() if found is None]
    if problems:
        raise SettingsError(problems)
    return frozenset(found for found in parsed.values() if found is not None)


def _parse_entry(entry: str) -> tuple[str, int | None] | None:
    """Read ``host``, ``host:port``, ``ipv6`` or ``[ipv6]:port``; ``None`` if it is none of these."""
    bare_ipv6 = entry.count(":") > 1 and not entry.startswith("[")
    try:
        parts = parse_url(f"http://[{entry}]/" if bare_ipv6 else f"http://{entry}/")
    except LocationParseError:
        return None
    if parts.host is None or parts.path != "/" or parts.auth or refuse_host(parts.host) is Reason.BAD_HOST:
        return None
    return _plain(parts.host), parts.port
