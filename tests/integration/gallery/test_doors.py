"""What the gallery refuses, and what it tells browsers to refuse."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.gallery import GalleryClient


async def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(
    pages: GalleryClient,
) -> None:
    answer = await pages.get("/library")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "style=" not in answer.text
    assert "onclick" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
async def test_other_hosts_and_origins_are_refused(
    pages: GalleryClient, headers: dict[str, str]
) -> None:
    assert (await pages.get("/library", headers=headers)).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/media/pictures/../../etc/passwd",
        "/media/pictures/%2e%2e/%2e%2e/etc/passwd",
        "/media/thumbnails/aa/evil.html",
        "/static/../app.py",
        "/static/texts.toml",
        "/nowhere",
    ],
)
async def test_an_address_that_leads_nowhere_is_a_page_that_leads_on(
    pages: GalleryClient, path: str
) -> None:
    answer = await pages.get(path)

    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert 'href="/library"' in answer.text


async def test_a_picture_that_is_gone_is_a_drawing(pages: GalleryClient) -> None:
    answer = await pages.get(f"/media/thumbnails/aa/{'a' * 64}.webp")

    assert answer.status_code == 404
    assert answer.content == b""  # a browser shows the words of the page in its place
    assert answer.headers["cache-control"] == "no-store"


async def test_an_unknown_method_is_refused(pages: GalleryClient) -> None:
    answer: httpx.Response = await pages.delete("/library")

    assert answer.status_code == 405


@pytest.mark.parametrize("is_announced", [True, False])
async def test_a_request_that_sends_too_much_is_refused(
    pages: GalleryClient, is_announced: bool
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"a" * 100_000

    content = b"a" * 2_000_000 if is_announced else chunks()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await pages.post("/sign-in", content=content, headers=headers)

    assert answer.status_code == 413
