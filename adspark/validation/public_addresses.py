"""Addresses of our own servers and of the proxies before them, as an operator writes them."""

from ipaddress import ip_network
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


_URL = "has to be an address without a path, as https://ads.example.com"

PublicUrl = Annotated[str, AfterValidator(_check_url)]
"""`http(s)://host[:port]`, under which people reach a server."""
Network = Annotated[str, AfterValidator(_check_network)]
"""An IP address or a network of them."""
