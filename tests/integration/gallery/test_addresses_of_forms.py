"""An address that takes forms only leads to the page that it belongs to, when it is opened."""

import re
from pathlib import Path

from adspark.db.engine import Database
from tests.support.gallery import GalleryClient, form_token, open_browser, routes_of, serve_gallery
from tests.support.library import ad, fill_library
from tests.support.noticed import add_watch
from tests.support.variants_at_hand import ask, finish

# The page of each such address; one that belongs to no page of its own leads to the library.
PAGES = {
    "/ads/{ad_id}/boards": "/ads/{ad_id}",
    "/ads/{ad_id}/note": "/ads/{ad_id}",
    "/ads/{ad_id}/tags": "/ads/{ad_id}",
    "/ads/{ad_id}/title": "/ads/{ad_id}",
    "/selection": "/library",
    "/selection/export": "/library",
    "/sign-out": "/library",
    "/variants/batches/{batch_id}/cancel": "/variants/batches/{batch_id}",
    "/variants/batches/{batch_id}/pause": "/variants/batches/{batch_id}",
    "/variants/batches/{batch_id}/resume": "/variants/batches/{batch_id}",
    "/variants/{variant_id}/cancel": "/variants/{variant_id}",
    "/variants/{variant_id}/retry": "/variants/{variant_id}",
    "/variants/{variant_id}/review": "/variants/{variant_id}",
    "/watches/{watch_id}/look": "/watches/{watch_id}",
    "/watches/{watch_id}/pause": "/watches/{watch_id}",
    "/watches/{watch_id}/resume": "/watches/{watch_id}",
}
ONE = {"ad_id": ad(1), "batch_id": 1, "variant_id": 1, "watch_id": 1}


def test_each_address_of_a_form_without_a_page_is_among_them(
    database: Database, tmp_path: Path
) -> None:
    routes = routes_of(database, tmp_path)
    by_method = {
        method: {route.path for route in routes if method in (route.methods or ())}
        for method in ("GET", "POST")
    }
    assert by_method["POST"] - by_method["GET"] == set(PAGES)


async def test_it_leads_to_its_page(pages: GalleryClient) -> None:
    for path, page in PAGES.items():
        answer = await pages.get(path.format(**ONE))

        assert (answer.status_code, answer.headers["location"]) == (303, page.format(**ONE)), path
        assert (await pages.head(path.format(**ONE))).status_code == 303


async def test_a_page_that_is_there_is_shown(pages: GalleryClient, database: Database) -> None:
    watch_id = await add_watch(database)
    async with database.session() as session:
        variant = await finish(session, await ask(session, ad(1)))
        await session.commit()

    for path in (f"/watches/{watch_id}/pause", f"/variants/{variant.id}/review"):
        answer = await pages.get(path, follow_redirects=True)
        assert (answer.status_code, answer.url.path) == (200, path.rpartition("/")[0])
    gone = await pages.get("/watches/77/pause", follow_redirects=True)
    assert (gone.status_code, "There is no such watch" in gone.text) == (404, True)


async def test_nothing_is_carried_out_and_programs_are_told_that_it_cannot_be(
    pages: GalleryClient, database: Database
) -> None:
    watch_id = await add_watch(database)

    await pages.get(f"/watches/{watch_id}/pause", follow_redirects=True)
    assert "Paused" not in (await pages.get(f"/watches/{watch_id}")).text
    assert (await pages.put(f"/watches/{watch_id}/pause")).status_code == 405
    assert (await pages.post("/api/v1/ads")).status_code == 405


async def test_after_a_refused_form_a_browser_that_opens_the_address_again_sees_the_page(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill_library(database)
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            page = await browser.new_page()
            await page.goto(f"{url}/ads/{ad(1)}")
            await page.locator("input[name=tag]").fill("a\u202eb")
            await page.locator("input[name=tag]").press("Enter")
            await page.locator("#problem-tag").wait_for()
            assert page.url.endswith("/tags")

            answer = await page.goto(page.url)

            assert answer is not None
            assert (answer.status, page.url) == (200, f"{url}/ads/{ad(1)}")
            assert form_token(await page.content())
            assert not re.search("cannot be asked", await page.content())
