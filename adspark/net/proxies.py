"""Proxies that a shell names: for the world, never for what runs on this machine."""

import os

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def keep_from_proxies() -> None:
    """Let no client of this process, nor of its children, ask this machine's servers by a proxy."""
    for name in ("NO_PROXY", "no_proxy"):
        listed = [one.strip() for one in os.environ.get(name, "").split(",") if one.strip()]
        if "*" not in listed:
            os.environ[name] = ",".join(dict.fromkeys([*listed, *_LOOPBACK]))
