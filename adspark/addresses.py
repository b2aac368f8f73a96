"""Which addresses may be asked: http(s) on the public internet, and hosts trusted by a setting."""

import asyncio
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from adspark.errors import ServiceUnavailableError, UnusableContentError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65535
_HOST = re.compile(r"[a-z0-9_.-]+|[0-9a-f:.]+")  # a name, or an address of IPv6
_LONGEST_SHOWN = 120  # characters of an address in a message

# Unicast addresses of the internet. What lies outside is local, reserved, or an old notation of an
# IPv4 address, whatever a registry says of it.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")

_IP = IPv4Address | IPv6Address


@dataclass(frozen=True)
class CheckedAddress:
    """An address that may be asked, and where: a name's meaning cannot change in between.

    Attributes:
        url: the address in its normal form.
        ips: what the host means, best first; connect to nothing else.
    """

    url: str
    ips: tuple[str, ...]

    @property
    def ip(self) -> str:
        """The first of the IP addresses."""
        return self.ips[0]


class AddressRules:
    """What may be asked.

    Args:
        trusted_hosts: `host:port` pairs that may be asked although they are not public.
    """

    def __init__(self, trusted_hosts: Iterable[str] = ()) -> None:
        self._trusted = frozenset(_normal_pair(pair) for pair in trusted_hosts)

    async def check(self, url: str) -> CheckedAddress:
        """Resolve an address's host and judge every IP address that it stands for.

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


def is_public(ip: _IP) -> bool:
    """Whether an IP address is one host's on the public internet, whatever form it comes in."""
    if isinstance(ip, IPv4Address):
        return ip.is_global and not ip.is_multicast
    inner = _inner_address(ip)
    if inner is not None:
        return is_public(inner)
    return ip in _GLOBAL_UNICAST and ip.is_global


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
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    return IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None


def _normal_pair(pair: str) -> str:
    host, _, port = pair.strip().rpartition(":")
    return f"{host.strip('[]').lower()}:{port}"
