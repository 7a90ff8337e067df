"""Addresses that are not on the public Internet: as strangers spell them, and as names resolve to them."""

from __future__ import annotations

from data.images.fetch_outcome import Reason

SPELLINGS = (
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001",
    "0177.0.0.1", "0x7f.0x0.0x0.0x1", "00000177.0.0.1", "127.0.0.01", "0x", "0", "0.0.0.0",  # noqa: S104
    "１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1",
    "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.0.8", "192.88.99.1",
    "198.18.0.1", "203.0.113.5", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[::ffff:8.8.8.8]", "[::8.8.8.8]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::8.8.8.8]",
    "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]",
    "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%eth0]", "[fe80::1%251]", "[fec0::1]", "[fc00::1]",
    "[fd12::1]", "[ff02::1]",
    "[2606:4700::1111%25eth0]", "[100::1]",
)  # fmt: skip

RESOLVED = (
    ("127.0.0.1", Reason.PRIVATE_ADDRESS),
    ("10.1.2.3", Reason.PRIVATE_ADDRESS),
    ("169.254.169.254", Reason.PRIVATE_ADDRESS),
    ("100.64.1.1", Reason.PRIVATE_ADDRESS),
    ("168.63.129.16", Reason.METADATA_ADDRESS),
    ("::1", Reason.PRIVATE_ADDRESS),
    ("::127.0.0.1", Reason.PRIVATE_ADDRESS),
    ("::ffff:127.0.0.1", Reason.PRIVATE_ADDRESS),
    ("64:ff9b::7f00:1", Reason.PRIVATE_ADDRESS),
    ("fe80::1", Reason.PRIVATE_ADDRESS),
    ("2002:7f00:1::", Reason.PRIVATE_ADDRESS),
    ("fd00:ec2::254", Reason.PRIVATE_ADDRESS),
)
