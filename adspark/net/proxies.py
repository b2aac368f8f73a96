"""Proxies that a shell names: for the world, never for what runs on this machine."""

import os
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def keep_from_proxies() -> None:
    """Let no client of this process, nor of its children, ask this machine's servers by a proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = [one.strip() for one in os.environ.get(name, "").split(",") if one.strip()]
        if "*" not in listed:
            os.environ[name] = ",".join(dict.fromkeys([*listed, *_LOOPBACK]))


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for an address; None: it is asked directly.

    For clients with a transport of their own, for which httpx does not look.
    """
    address = urlsplit(url)
    if proxy_bypass(address.netloc):
        return None
    named = getproxies()
    found = named.get(address.scheme) or named.get("all")
    return found if not found or "://" in found else f"http://{found}"
