"""Which addresses may be asked."""

from ipaddress import ip_address

import pytest

from adspark.errors import ServiceUnavailableError, UnusableContentError
from adspark.net.addresses import AddressRules, find_public_address, is_public, show_address

PRIVATE = {
    "127.0.0.1": "loopback",
    "127.255.0.9": "all of 127/8 is loopback",
    "10.1.2.3": "private",
    "172.16.0.1": "private",
    "192.168.1.1": "private",
    "169.254.169.254": "a cloud's metadata",
    "100.64.0.1": "carrier-grade NAT",
    "0.0.0.0": "unspecified, which is this host",
    "0.1.2.3": "this network",
    "192.0.2.1": "documentation",
    "198.18.0.1": "benchmarks",
    "168.63.129.16": "Azure's platform services",
    "192.0.0.8": "a dummy address, which Python 3.11 takes for public",
    "192.0.0.192": "Oracle's metadata",
    "192.0.0.9": "port control, which the registry calls global",
    "192.0.0.171": "discovery of NAT64",
    "192.88.99.1": "a relay of 6to4",
    "192.31.196.1": "AS112",
    "192.52.193.1": "multicast tunneling",
    "192.175.48.1": "AS112",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.250": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "loopback",
    "fe80::1": "link-local",
    "fec0::1": "site-local",
    "fc00::1": "unique local",
    "fd12:3456::1": "unique local",
    "ff02::1": "multicast",
    "2001:db8::1": "documentation",
    "3fff::1": "documentation since 2024",
    "3fff:fff:ffff::1": "its last network",
    "2001:0:8efa:4a01::1": "Teredo",
    "2001:2::1": "benchmarks",
    "2001:20::1": "ORCHIDv2",
    "2620:4f:8000::1": "AS112",
    "4000::1": "unassigned",
    "::ffff:168.63.129.16": "IPv4-mapped platform services",
    "2002:a83f:8110::": "6to4 of platform services",
    "64:ff9b::c000:c0": "NAT64 of Oracle's metadata",
    "::ffff:127.0.0.1": "IPv4-mapped loopback",
    "::ffff:10.0.0.1": "IPv4-mapped private",
    "::ffff:169.254.169.254": "IPv4-mapped metadata",
    "::127.0.0.1": "IPv4-compatible loopback",
    "2002:7f00:1::": "6to4 of loopback",
    "2002:a00:1::": "6to4 of a private address",
    "64:ff9b::7f00:1": "NAT64 of loopback",
    "64:ff9b::a9fe:a9fe": "NAT64 of a metadata service",
    "64:ff9b:1::1": "NAT64 for local use",
    "100::1": "discard only",
}
PUBLIC = {
    "142.250.74.1": "IPv4",
    "168.63.129.15": "beside the platform services",
    "192.0.1.1": "beside protocol assignments",
    "2001:200::1": "beside protocol assignments",
    "3fff:1000::1": "beside documentation",
    "2a00:1450:4001:82a::2001": "IPv6",
    "::ffff:142.250.74.1": "IPv4-mapped",
    "64:ff9b::8efa:4a01": "NAT64",
    "2002:8efa:4a01::": "6to4",
}


@pytest.mark.parametrize("ip", PRIVATE, ids=lambda ip: f"{ip} {PRIVATE[ip]}")
def test_an_address_off_the_public_internet_is_not_public(ip: str) -> None:
    assert not is_public(ip_address(ip))


@pytest.mark.parametrize("ip", PUBLIC, ids=lambda ip: f"{ip} {PUBLIC[ip]}")
def test_an_address_of_the_public_internet_is_public(ip: str) -> None:
    assert is_public(ip_address(ip))


@pytest.mark.parametrize("ip", PRIVATE, ids=lambda ip: f"{ip} {PRIVATE[ip]}")
async def test_a_private_address_is_refused_by_name(ip: str) -> None:
    host = f"[{ip}]" if ":" in ip else ip
    with pytest.raises(UnusableContentError, match="private address"):
        await AddressRules().check(f"http://{host}:8080/x?signature=secret")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://localhost/", "resolves to loopback"),
        ("http://2130706433/", "loopback as one number"),
        ("http://0x7f000001/", "loopback in hexadecimal"),
        ("http://0177.0.0.1/", "loopback in octal"),
        ("http://127.1/", "loopback, shortened"),
        ("http://①②⑦.0.0.1/", "loopback in other digits"),
        ("FILE:///etc/passwd", "no http, in capitals"),
        ("fIlE:///etc/passwd", "no http, mixed"),
        ("view-source:http://142.250.74.1/", "a browser's own scheme"),
        ("http://[::ffff:a9fe:a9fe]/", "mapped metadata"),
        ("file:///etc/passwd", "no http"),
        ("ftp://example.com/", "no http"),
        ("data:text/plain,x", "no http"),
        ("javascript:alert(1)", "no http"),
        ("//example.com/x", "no scheme"),
        ("example.com/x", "no scheme"),
        ("", "nothing"),
        ("http://", "no host"),
        ("http:///x", "no host"),
        ("http://user:word@142.250.74.1/", "user name"),
        ("http://user@142.250.74.1/", "user name"),
        ("http://142.250.74.1:0/", "impossible port"),
        ("http://142.250.74.1:99999/", "impossible port"),
        ("http://[::1", "broken"),
        ("http://a\x00b/", "control character"),
        (f"http://{'a' * 300}.com/", "a label that is too long"),
    ],
)
async def test_an_address_that_is_not_allowed_is_refused(url: str, reason: str) -> None:
    with pytest.raises(UnusableContentError):
        await AddressRules().check(url)


async def test_a_public_address_carries_the_ip_to_connect_to() -> None:
    checked = await AddressRules().check("https://142.250.74.1/a?b=c%3D#part")
    assert checked.url == "https://142.250.74.1/a?b=c%3D"
    assert checked.ips[0] == "142.250.74.1"


@pytest.mark.parametrize(
    ("trusted", "url"),
    [
        ("127.0.0.1:4300", "http://127.0.0.1:4300/x"),
        ("localhost:80", "http://localhost/x"),
        ("LOCALHOST:443", "https://localhost/x"),
        ("[::1]:8080", "http://[::1]:8080/x"),
    ],
)
async def test_a_trusted_host_may_be_private(trusted: str, url: str) -> None:
    checked = await AddressRules([trusted]).check(url)
    assert checked.ips[0] in ("127.0.0.1", "::1")


async def test_trust_ends_at_the_port() -> None:
    with pytest.raises(UnusableContentError, match="private address"):
        await AddressRules(["127.0.0.1:4300"]).check("http://127.0.0.1:4301/")


async def test_a_name_that_cannot_be_resolved_is_a_temporary_failure() -> None:
    with pytest.raises(ServiceUnavailableError, match=r"nowhere\.invalid cannot be resolved"):
        await AddressRules().check("https://nowhere.invalid/x?signature=secret")


async def test_a_refusal_names_no_query() -> None:
    with pytest.raises(UnusableContentError) as caught:
        await AddressRules().check("http://10.0.0.1/x?signature=secret")
    assert "10.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a.com/x?key=1", "https://a.com/x"),
        ("https://user:word@a.com:8443/x#y", "https://a.com:8443/x"),
        (f"https://a.com/{'x' * 200}", f"https://a.com/{'x' * 105}…"),
        ("https://a.com/a%0Ab", "https://a.com/a%0Ab"),
        ("http://a\x00b/", "the address"),
    ],
)
def test_an_address_is_shown_short_and_without_its_query(url: str, shown: str) -> None:
    assert show_address(url) == shown


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://1.1.1.1/ad.png?x=1", "https://1.1.1.1/ad.png?x=1"),
        ("http://127.0.0.1:4300/ad.png", None),
        ("file:///etc/passwd", None),
        (None, None),
    ],
)
async def test_only_an_address_that_anybody_can_ask_is_given_away(
    url: str | None, public: str | None
) -> None:
    assert await find_public_address(url) == public
