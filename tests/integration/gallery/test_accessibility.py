"""What axe finds against WCAG 2.1 AA on the pages, in the light and in the dark."""

import asyncio
import shutil
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from adspark.creatives.boards import add_ads, create_board, find_board
from adspark.db.engine import Database
from adspark.rendering.browser import PROGRAMS
from adspark.rules.store import save_rules
from adspark.watches.store import create_or_change_watch
from tests.support.checked import BROKEN
from tests.support.gallery import serve_gallery
from tests.support.library import CAFE, ad, fill_library
from tests.support.variants_at_hand import ask, ask_together, finish

_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
_PAGES = (
    "/",
    "/library",
    "/library?view=list&format=image",
    "/library?format=film",
    f"/ads/{ad(1)}",
    "/advertisers",
    f"/advertisers/{CAFE}",
    "/compare",
    "/watches",
    "/watches/new",
    "/watches/1",
    "/variants",
    "/rules",
    "/variants/1",
    f"/variants/new?ad={ad(1)}",
    "/variants/batches",
    "/variants/batches/1",
    "/variants/export",
    "/variants/outcomes",
    "/boards",
    "/boards/1",
    "/user",
    "/sign-in",
    "/api/v1",
    "/nowhere",
)


async def _fill(database_url: str) -> None:
    async with Database(database_url) as database:
        await fill_library(database)
        async with database.session() as session:
            await create_or_change_watch(session, changes={"name": "Café", "text": "example.com"})
            await create_board(session, user_id=1, name="Ideas")
            board = await find_board(session, user_id=1, name="Ideas")
            await add_ads(session, board_id=board.id, ids=[ad(1), ad(2)])
            await save_rules(session, written="banned_words: [free]", user_id=None)
            await finish(session, await ask(session, ad(1)), image_path=None, rule_check=BROKEN)
            await ask_together(session, [ad(1), ad(2)], "Red")
            await session.commit()


def test_the_pages_can_be_used_by_everybody(database_url: str, tmp_path: Path) -> None:
    asyncio.run(_fill(database_url))
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    found = []
    checked = 0
    with serve_gallery(database_url, tmp_path / "media") as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme, bypass_csp=True)  # axe is a script
            page = context.new_page()
            for path in _PAGES:
                page.goto(url + path)
                result = Axe().run(page, options=_RULES).response
                checked += len(result["passes"])
                found += [(scheme, path, one["id"], one["nodes"][0]["html"])
                          for one in result["violations"]]  # fmt: skip
        browser.close()

    assert found == []
    assert checked > len(_PAGES)
