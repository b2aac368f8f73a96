"""Answers as SerpApi gives them, and a client that gets them."""

from collections.abc import Callable
from typing import Any

import httpx
from pydantic import SecretStr

from adspark.serpapi.client import SerpApiClient

KEY = "k3y&with=odd characters"


Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> SerpApiClient:
    """A client whose requests end in `handler`."""
    return SerpApiClient(SecretStr(KEY), transport=httpx.MockTransport(handler))


def body(*rows: dict[str, Any], token: str | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    """An answer as SerpApi gives it."""
    made: dict[str, Any] = {
        "search_metadata": {
            "id": "s1",
            "status": "Success",
            "created_at": "2026-08-12 23:14:53 UTC",
        },
        "search_information": {"total_results": len(rows)},
        "ad_creatives": list(rows),
    }
    if token:
        made["serpapi_pagination"] = {"next_page_token": token}
    return made | more
