"""Events that Prefect's server has recorded."""

import asyncio
from typing import Any

import httpx
from prefect.settings import PREFECT_API_URL

from tests.support.asking import PATIENCE


async def events_of(resource: str, *, at_least: int = 1) -> list[dict[str, Any]]:
    """Prefect's events about a resource, once so many have arrived."""
    asked = {"filter": {"resource": {"id": [resource]}}}
    found: list[dict[str, Any]] = []
    async with httpx.AsyncClient(timeout=PATIENCE) as client:
        for _ in range(600):
            answer = await client.post(f"{PREFECT_API_URL.value()}/events/filter", json=asked)
            found = answer.raise_for_status().json()["events"]
            if len(found) >= at_least:
                break
            await asyncio.sleep(0.1)
    return found
