"""Politeness to the hosts that pictures come from: so many requests at once, and a pause each."""

import asyncio
import time

import httpx

AT_ONCE = 4
"""Pictures that one run works on at the same time."""

PAUSE = 0.05
"""Seconds between the beginnings of two requests to the same host."""


class HostPauses:
    """When each host may be asked again.

    Args:
        pause: seconds between the beginnings of two requests to the same host.
    """

    def __init__(self, pause: float = PAUSE) -> None:
        self._pause = pause
        self._free_at: dict[str, float] = {}

    async def wait(self, url: str) -> None:
        """Wait until the host of an address may be asked; one that cannot be read has none."""
        try:
            host = httpx.URL(url).host
        except (httpx.InvalidURL, ValueError):
            return  # its download says so
        now = time.monotonic()
        free_at = max(now, self._free_at.get(host, 0.0))
        self._free_at[host] = free_at + self._pause
        await asyncio.sleep(free_at - now)
