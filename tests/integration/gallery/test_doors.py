"""What the gallery refuses, and what it tells browsers to refuse."""

import re
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.settings import Settings
from deployments.gallery.app import create_app
from deployments.gallery.resources import Gallery
from deployments.gallery.templating import Templates
from tests.support.gallery import URL, GalleryClient
from tests.support.library import ad

GALLERY = Path(__file__).parents[3] / "deployments" / "gallery"


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


LONG = "9" * 5000
NUMBERED = (
    "/boards/{}",
    "/boards/{}/archive",
    "/variants/{}",
    "/variants/{}/progress",
    "/variants/{}/picture",
    "/variants/{}/copy",
    "/watches/{}",
    "/watches/{}/edit",
    "/watches/{}/delete",
    "/watches/{}/look/x",
    "/api/v1/batches/{}",
    "/api/v1/boards/{}",
    "/api/v1/variants/{}",
    "/api/v1/watches/{}",
    "/api/v1/watches/{}/news?since=2026-01-01",
)


def test_each_number_in_an_address_is_bounded() -> None:
    """Else one that nobody thought of is an error of the server's."""
    written = "\n".join(file.read_text() for file in GALLERY.rglob("*.py"))
    routes = re.findall(r"^@router\..*?^async def .*?:$", written, re.MULTILINE | re.DOTALL)
    unbounded = [one for one in routes if re.search(r"_id: int\b|:int}", one)]

    assert len(routes) > 50
    assert unbounded == []


@pytest.mark.parametrize("number", [LONG, f"-{LONG}", "0", "2147483648", "1e9"])
async def test_a_number_that_nothing_has_leads_nowhere(pages: GalleryClient, number: str) -> None:
    for path in NUMBERED:
        answer = await pages.get(path.format(number))

        assert (path, answer.status_code) == (path, 404)


@pytest.mark.parametrize("name", ["watch", "advertiser", "least-days", "size", "aspect", "board"])
async def test_a_number_in_a_filter_is_bounded(pages: GalleryClient, name: str) -> None:
    written = f"{LONG}x{LONG}" if name == "size" else LONG
    assert (await pages.get("/api/v1/ads", params={name: written})).status_code == 422
    assert (await pages.get("/library", params={name: written})).status_code == 422


@pytest.mark.parametrize("path", ["/", "/library", "/boards", "/sign-in", "/health", "/variants"])
async def test_head_is_answered_as_get_without_its_body(pages: GalleryClient, path: str) -> None:
    read = await pages.get(path)
    answer = await pages.head(path)

    assert answer.status_code == read.status_code == 200
    assert answer.content == b""
    assert answer.headers["content-type"] == read.headers["content-type"]
    assert answer.headers["content-length"] == read.headers["content-length"]
    assert "content-security-policy" in answer.headers


async def test_head_is_known_to_programs_files_and_what_is_not_there(pages: GalleryClient) -> None:
    for path, status in (
        ("/api/v1/ads", 200),
        ("/api/v1/export/ads.jsonl", 200),
        ("/static/gallery.css", 200),
        (f"/media/thumbnails/aa/{'a' * 64}.webp", 404),
        ("/shared/nothing", 404),
        ("/nowhere", 404),
    ):
        answer = await pages.head(path)

        assert (path, answer.status_code, answer.content) == (path, status, b"")


async def test_an_address_tells_its_methods(pages: GalleryClient) -> None:
    for path, methods in (
        ("/library", "GET, HEAD, OPTIONS"),
        ("/boards", "GET, HEAD, POST, OPTIONS"),
        ("/boards/1", "GET, HEAD, POST, OPTIONS"),
        ("/selection", "POST, OPTIONS"),
        ("/api/v1/ads", "GET, HEAD, OPTIONS"),
    ):
        asked = await pages.options(path)
        refused = await pages.put(path)

        assert (asked.status_code, asked.headers["allow"]) == (204, methods)
        assert (refused.status_code, refused.headers["allow"]) == (405, methods)
    assert (await pages.options("/nowhere")).status_code == 404


async def test_what_is_too_large_is_a_page_of_ours(pages: GalleryClient) -> None:
    large = await pages.send_form("/boards", name="a" * 1_200_000)
    many = await pages.send_form("/selection", ad=[f"CR{one}" for one in range(5001)])
    program = await pages.post("/api/v1/ads", content=b"a" * 1_200_000)

    for answer in (large, many):
        assert answer.status_code == 413
        assert "more than a form may send" in answer.text
        assert "Maximum number" not in answer.text
    assert program.status_code == 413
    assert program.json()["detail"] == "The request sends more than is taken."


async def test_a_form_takes_as_many_ads_as_is_said_whatever_it_has_beside_them(
    pages: GalleryClient,
) -> None:
    beside = {"add-tag": "", "tag": "all", "board": "", "back": "/library"}
    taken = await pages.send_form("/selection", ad=[ad(1)] * 5000, **beside)
    assert (taken.status_code, taken.url.path) == (200, "/library")
    several = await pages.send_form("/selection", ad=[f"CR{one}" for one in range(5000)], **beside)
    assert several.status_code == 422
    assert "is stored; an ad id is CR and 20 digits" in several.text
    assert (await pages.send_form("/selection", ad=[ad(1)] * 5001)).status_code == 413
    others = {f"field-{place}": "" for place in range(6000)}
    assert (await pages.send_form("/selection", **others)).status_code == 413


@pytest.mark.parametrize("content", ["[" * 11_000, '["notice.refused"]', "null", "[1, {}]", "\x00"])
async def test_a_broken_notice_is_left_out(pages: GalleryClient, content: str) -> None:
    cookie = f"adspark_notice={urlsafe_b64encode(content.encode()).decode()}"

    assert (await pages.get("/boards", headers={"Cookie": cookie})).status_code == 200


async def test_a_link_that_has_ended_is_a_page_of_its_own(pages: GalleryClient) -> None:
    for path in ("/shared/ended", "/shared/ended/media/thumbnails/a.webp", "/shared/a/b/c"):
        answer = await pages.get(path)

        assert answer.status_code == 404
        assert "This link leads nowhere any more." in answer.text
        assert "Ask who sent it" in answer.text
        for word in ("/library", "/boards", "/user", "/sign-in"):
            assert f'"{word}"' not in answer.text


async def test_what_nobody_foresaw_ends_no_connection(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An error that reaches the server is one after which it cuts the connection."""
    gallery = Gallery(Settings(), database, MediaStore(str(tmp_path)), Templates())
    app = create_app(gallery)

    @app.get("/broken")
    async def break_down() -> None:
        raise KeyError("a secret")

    transport = httpx.ASGITransport(app)  # raises what reaches the server
    async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
        answer = await client.get("/broken")

    assert answer.status_code == 500
    assert "nobody foresaw" in answer.text
    assert "secret" not in answer.text
    assert "a secret" in caplog.text
