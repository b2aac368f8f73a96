"""Addresses of servers, and of the proxies before our own, as an operator writes them."""

import re
from ipaddress import IPv6Address, ip_network
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator


def _check_url(written: str) -> str:
    """An address without a path; without a slash at its end."""
    try:
        parts = urlsplit(written.strip().lower())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or f"{parts.scheme}://{parts.netloc}" != parts.geturl().rstrip("/"):
        raise ValueError(_URL)
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not parts.netloc.isascii():
        raise ValueError(_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _check_network(written: str) -> str:
    try:
        return str(ip_network(written))
    except ValueError:
        raise ValueError("is not an IP address or a network as 172.16.0.0/12") from None


def _check_service_url(written: str) -> str:
    """An address with a path or without, as it is written."""
    try:
        parts = urlsplit(written.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme.lower() not in ("http", "https") or len(written.split()) != 1:
        raise ValueError("has to be an address that begins with https:// or http://")
    return written.strip()


def _check_host_name(written: str) -> str:
    if not _NAME.fullmatch(written):
        raise ValueError("has to be names as ads.example.com, without https:// and port")
    return written


def _check_host_port(written: str) -> str:
    host, _, port = written.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65_536
    if not is_port or not (_NAME.fullmatch(host) or _is_ipv6(host)):
        raise ValueError("has to be host:port pairs as dify.internal:80, divided by commas")
    return written


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


_NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?", re.IGNORECASE | re.ASCII)
_URL = "has to be an address without a path, as https://ads.example.com"

PublicUrl = Annotated[str, AfterValidator(_check_url)]
"""`http(s)://host[:port]`, under which people reach a server."""
ServiceUrl = Annotated[str, AfterValidator(_check_service_url)]
"""`http(s)://host[:port][/path]` of a service that is requested."""
HostName = Annotated[str, AfterValidator(_check_host_name)]
"""The name of a host, without port."""
HostPort = Annotated[str, AfterValidator(_check_host_port)]
"""A host's name or IP address and its port."""
Network = Annotated[str, AfterValidator(_check_network)]
"""An IP address or a network of them."""
