"""A client of a sandbox of its own, whose clock stands still."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx

from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve

ENGINE = "google_ads_transparency_center"


Json = dict[str, Any]


class MovedClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 8, 12, 23, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Client:
    """Calls to one sandbox."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = httpx.Client(base_url=url, timeout=60)

    def get(self, **params: str) -> httpx.Response:
        given = {"engine": ENGINE, "api_key": "sandbox-key"} | params
        return self.http.get("/search.json", params={k: v for k, v in given.items() if v})

    def search(self, **params: str) -> Json:
        response = self.get(**params)
        assert response.status_code == 200, response.text
        body: Json = response.json()
        return body

    def pages(self, **params: str) -> Iterator[Json]:
        token: str | None = params.get("next_page_token", "")
        while token is not None:
            body = self.search(**params | {"next_page_token": token})
            yield body
            token = body.get("serpapi_pagination", {}).get("next_page_token")

    def account(self) -> Json:
        body: Json = self.http.get("/account.json", params={"api_key": "sandbox-key"}).json()
        return body

    def stats(self) -> dict[str, int]:
        body: dict[str, int] = self.http.get("/sandbox/stats").json()
        return body

    def switch_on(self, *faults: Json) -> None:
        assert self.http.put("/sandbox/faults", json=list(faults)).status_code == 200


@contextmanager
def visit(settings: SandboxSettings) -> Iterator[Client]:
    """A client of a sandbox of its own."""
    with serve(settings) as url:
        client = Client(url)
        with client.http:
            yield client
