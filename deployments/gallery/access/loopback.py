"""Addresses that only this machine can reach."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address; names are taken for those of others."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
