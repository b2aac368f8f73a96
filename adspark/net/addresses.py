"""Which addresses may be requested: http(s) on the public internet, and trusted hosts."""

import asyncio
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    ServiceUnavailableError,
    UnusableContentError,
)
from adspark.text.redaction import remember_address

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65535
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")  # a name, or an address of IPv6
_LONGEST_SHOWN = 120  # characters of an address in a message

# What is not one host's on the internet: IANA's special-purpose registries (RFC 6890 and later
# entries), multicast, and a cloud's own services. A table of our own, for that of the standard
# library differs from one version of Python to the next.
_SPECIAL_IPV4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's platform services, on every virtual machine
        "169.254.0.0/16",  # link-local, with the metadata of clouds
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is Oracle's metadata
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # automatic multicast tunneling
        "192.88.99.0/24",  # relays of 6to4, deprecated
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
# Unicast addresses of the internet. What lies outside is local, reserved, or an old notation of an
# IPv4 address, whatever a registry says of it.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SPECIAL_IPV6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo and benchmarks among them
        "2001:db8::/32",  # documentation
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
]
_NAT64 = IPv6Network("64:ff9b::/96")

_IP = IPv4Address | IPv6Address


@dataclass(frozen=True)
class CheckedAddress:
    """An address that may be requested, in its normal form, and its host's IPs, best first.

    Nothing else is connected to, for a name may change its meaning.
    """

    url: str
    ips: tuple[str, ...]


class AddressRules:
    """What may be requested: public addresses, and `host:port` pairs that are trusted."""

    def __init__(self, trusted_hosts: Iterable[str] = ()) -> None:
        self._trusted = frozenset(_normal_pair(pair) for pair in trusted_hosts)

    async def check(self, url: str) -> CheckedAddress:
        """Resolve an address's host and validate every IP address of it.

        Raises:
            UnusableContentError: the address is malformed or not allowed; names host and reason.
            ServiceUnavailableError: the name cannot be resolved right now.
        """
        parsed, port = _parse(url)
        host = parsed.raw_host.decode("ascii")
        ips = await _resolve(host, port)
        if f"{host}:{port}" not in self._trusted:
            for ip in ips:
                if not is_public(ip):
                    raise UnusableContentError(
                        f"{host} is a private address ({ip}), which is not allowed; "
                        "ADSPARK_TRUSTED_HOSTS names exceptions."
                    )
        return CheckedAddress(url=str(parsed), ips=tuple(str(ip) for ip in ips))


async def find_public_address(url: str | None) -> str | None:
    """The address in its normal form where it is on the public internet, else None."""
    try:
        return (await AddressRules().check(url)).url if url else None
    except AdSparkError:
        return None


def is_public(ip: _IP) -> bool:
    """Whether an IP address is one host's on the public internet, whatever form it comes in."""
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _SPECIAL_IPV4)
    if (inner := _inner_address(ip)) is not None:
        return is_public(inner)
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _SPECIAL_IPV6)


def parse_base_url(variable: str, written: str) -> httpx.URL:
    """The address of a service, to which paths are joined; a password in it is redacted.

    Raises:
        ConfigurationError: it is none; names the setting `variable` that it comes from.
    """
    remember_address(written)
    try:
        address = httpx.URL(written.rstrip("/") + "/")
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in _DEFAULT_PORTS or not address.host:
        raise ConfigurationError(f"{variable}: {written!r} is not an http(s) address.")
    return address


def show_address(url: str) -> str:
    """Scheme, host and path for a message: a query may hold a signature or a key."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        return "the address"
    path = parsed.raw_path.partition(b"?")[0].decode("ascii")
    shown = f"{parsed.scheme}://{parsed.netloc.decode('ascii')}{path}"
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[: _LONGEST_SHOWN - 1]}…"


def _parse(url: str) -> tuple[httpx.URL, int]:
    try:
        parsed = httpx.URL(url.strip()).copy_with(fragment=None)
        host = parsed.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError, TypeError):
        raise UnusableContentError("An address cannot be read as one.") from None
    if parsed.scheme not in _DEFAULT_PORTS:
        raise UnusableContentError(
            f"Only http and https addresses are allowed, not {parsed.scheme or 'nothing'!r}."
        )
    if not host:
        raise UnusableContentError("An address names no host.")
    if not _HOST.fullmatch(host):
        raise UnusableContentError(f"{host[:_LONGEST_SHOWN]} is not a host's name.")
    if parsed.userinfo:
        raise UnusableContentError(f"The address at {host} carries a user name; not allowed.")
    port = _DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 0 < port <= _HIGHEST_PORT:
        raise UnusableContentError(f"The address at {host} has an impossible port, {port}.")
    return parsed, port


async def _resolve(host: str, port: int) -> list[_IP]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise ServiceUnavailableError(
            f"{host} cannot be resolved: {error.strerror or 'no answer'}."
        ) from error
    except (UnicodeError, ValueError) as error:
        raise UnusableContentError(f"{host[:_LONGEST_SHOWN]} is not a host's name.") from error
    ips = list(dict.fromkeys(ip_address(entry[4][0]) for entry in found))
    if not ips:
        raise ServiceUnavailableError(f"{host} has no address.")
    return ips


def _inner_address(ip: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 one is translated or tunnelled to."""
    in_nat64 = IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None
    return ip.ipv4_mapped or ip.sixtofour or in_nat64


def _normal_pair(pair: str) -> str:
    host, _, port = pair.strip().rpartition(":")
    return f"{host.strip('[]').lower()}:{port}"
