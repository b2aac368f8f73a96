"""Proxies of the environment: for the internet, never for servers on this machine."""

import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def keep_from_proxies() -> None:
    """Exempt this machine's servers from proxies, for this process and its children."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = [one.strip() for one in os.environ.get(name, "").split(",") if one.strip()]
        if "*" not in listed:
            os.environ[name] = ",".join(dict.fromkeys([*listed, *_LOOPBACK]))


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for an address; None where there is none.

    For clients with a transport of their own, for which httpx does not look.
    """
    address = urlsplit(url)
    if proxy_bypass(address.netloc):
        return None
    named = getproxies()
    found = named.get(address.scheme) or named.get("all")
    return found if not found or "://" in found else f"http://{found}"
