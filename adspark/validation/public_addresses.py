"""Addresses of pages, of servers, and of the proxies before our own, as people write them."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator


def check_web_address(written: str) -> str:
    """An http(s) address as it is written, without blanks around it.

    Raises:
        ValueError: it is none, or nothing can have its host or port.
    """
    _split(written)
    return written.strip()


def _split(written: str) -> SplitResult:
    """The parts of an http(s) address. Raises ValueError where it is none."""
    try:
        parts = urlsplit(written.strip())
        has_port = parts.port != 0  # raises ValueError for one that cannot be
        is_host = _is_host(parts.hostname or "")
    except ValueError:
        raise ValueError(_ADDRESS) from None
    is_web = parts.scheme in ("http", "https")
    if not (is_web and is_host and has_port and len(written.split()) == 1):
        raise ValueError(_ADDRESS)
    return parts


def _check_url(written: str) -> str:
    """An address without a path; without a slash at its end."""
    try:
        parts = _split(written.lower())
    except ValueError:
        raise ValueError(_URL) from None
    if f"{parts.scheme}://{parts.netloc}" != parts.geturl().rstrip("/"):
        raise ValueError(_URL)
    if "@" in parts.netloc or not parts.netloc.isascii():
        raise ValueError(_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _check_network(written: str) -> str:
    try:
        return str(ip_network(written))
    except ValueError:
        raise ValueError("is not an IP address or a network as 172.16.0.0/12") from None


def _check_host_name(written: str) -> str:
    if not _is_name(written):
        raise ValueError("has to be names as ads.example.com, without https:// and port")
    return written


def _check_host_port(written: str) -> str:
    host, _, port = written.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65_536
    if not is_port or not (_is_name(host) or _is_ip(host, IPv6Address)):
        raise ValueError("has to be host:port pairs as dify.internal:80, divided by commas")
    return written


def _is_host(written: str) -> bool:
    """Whether it is a name or an IP address; a name may be written in any letters.

    Raises:
        ValueError: no name can be made of its letters.
    """
    return _is_ip(written, IPv6Address) or _is_name(written.encode("idna").decode())


def _is_name(written: str) -> bool:
    """Whether it is a name, or an IPv4 address: what ends in a number is nothing else."""
    if _NUMBERED.search(written):
        return _is_ip(written, IPv4Address)
    return _NAME.fullmatch(written) is not None


def _is_ip(written: str, kind: type[IPv4Address | IPv6Address]) -> bool:
    try:
        kind(written.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?", re.IGNORECASE | re.ASCII)
_NUMBERED = re.compile(r"(?:^|\.)[0-9]+\.?$")
_ADDRESS = (
    "has to be an address that begins with https:// or http://, with a host's name or IP address, "
    "and a port of 1 to 65535 or none"
)
_URL = "has to be an address without a path, as https://ads.example.com"

PublicUrl = Annotated[str, AfterValidator(_check_url)]
"""`http(s)://host[:port]`, under which people reach a server."""
ServiceUrl = Annotated[str, AfterValidator(check_web_address)]
"""`http(s)://host[:port][/path]` of a service that is requested."""
HostName = Annotated[str, AfterValidator(_check_host_name)]
"""The name of a host, without port."""
HostPort = Annotated[str, AfterValidator(_check_host_port)]
"""A host's name or IP address and its port."""
Network = Annotated[str, AfterValidator(_check_network)]
"""An IP address or a network of them."""
