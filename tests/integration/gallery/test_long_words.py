"""One long word never makes a page wider than the window; a small table shows all its columns."""

from pathlib import Path
from urllib.parse import urlencode

from sqlalchemy import text

from adspark.creatives.boards import add_ads, find_or_create_board
from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.library.marks.notes import write_note, write_title
from adspark.library.marks.tags import tag_ads
from adspark.models import EventKind
from adspark.rules.store import save_rules
from adspark.variants.reviews.store import Review, save_review
from adspark.watches.store import create_or_change_watch
from tests.support.checked import BROKEN
from tests.support.factories import creative
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import CAFE, SHOP, ad, buy_words, fill_library
from tests.support.noticed import add_event, ago
from tests.support.variants_at_hand import ask, ask_together, finish

_WORD = "W" * 300
_NAME = "W" * 100  # as long as a name that users give may be
_PAGES = (
    "/",
    "/library",
    "/library?view=list",
    f"/library?{urlencode({'advertiser': _WORD})}",
    f"/ads/{ad(4)}",
    "/advertisers",
    f"/advertisers/{CAFE}",
    f"/compare?advertiser={CAFE}&advertiser={SHOP}",
    "/watches",
    "/watches/1",
    "/watches/1/edit",
    "/variants",
    f"/variants/new?ad={ad(4)}",
    "/variants/1",
    "/rules",
    "/variants/batches",
    "/variants/batches/1",
    "/variants/export",
    "/variants/outcomes",
    "/boards",
    "/boards/1",
    "/user",
    f"/boards/{_WORD}",
)
_TOO_WIDE = """[...document.querySelectorAll("body *")].filter((one) =>
    one.getBoundingClientRect().right > innerWidth + 1 &&
    !one.closest(".scroll, .wide, .hidden, .skip")
).map((one) => one.outerHTML.slice(0, 120)).slice(0, 3)"""


async def _fill(database: Database) -> None:
    await fill_library(database)
    async with database.session() as session:
        row = creative(4, advertiser_id=CAFE, advertiser=_WORD, target_domain=f"{_NAME}.example")
        await save_creatives(session, rows=[row], region="2276", platform="YOUTUBE")
        await session.execute(text("UPDATE advertiser SET name = :name"), {"name": _WORD})
        await buy_words(
            session, 4, headline=_WORD, snippet=_WORD, call_to_action=_WORD,
            link=f"https://example.com/{_WORD}", sitelink_texts=[_WORD],
        )  # fmt: skip
        await tag_ads(session, user_id=1, tag=_NAME, ids=[ad(4)])
        await write_title(session, user_id=1, ad_creative_id=ad(4), text=_NAME, is_shared=True)
        await write_note(session, user_id=1, ad_creative_id=ad(4), text=_WORD, is_shared=True)
        board, _ = await find_or_create_board(session, user_id=1, name=_NAME)
        await add_ads(session, board_id=board.id, ids=[ad(4)])
        await create_or_change_watch(session, changes={"name": _NAME, "text": "example.com"})
        variant = await ask(session, ad(4), prompt=_WORD)
        long = BROKEN.verdicts[0].model_copy(update={"reason": _WORD})
        check = BROKEN.model_copy(update={"verdicts": [long, *BROKEN.verdicts]})
        done = await finish(session, variant, description=_WORD, image_path=None, rule_check=check)
        await save_rules(session, written=f"# {_WORD}\nbanned_words: [free]", user_id=None)
        review = Review(user_id=2, is_approved=True, overrule_reason=_WORD)
        await save_review(session, variant=done, review=review)
        await ask_together(session, [ad(4)], f"{_WORD}s")
        await session.commit()
    await add_event(database, 1, EventKind.NEW, 4, at=ago(hours=1))


async def test_a_long_word_makes_no_page_wider_than_the_window(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _fill(database)
    found = []
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            page = await browser.new_page()
            for path in _PAGES:
                for width in (360, 1280):
                    await page.set_viewport_size({"width": width, "height": 740})
                    answer = await page.goto(url + path)
                    assert answer is not None
                    assert answer.status < 500
                    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    if wide > 0:
                        found.append((path, width, wide, await page.evaluate(_TOO_WIDE)))

            await page.set_viewport_size({"width": 360, "height": 740})
            await page.goto(f"{url}/advertisers")
            box = ".scroll"
            assert await page.locator(box).evaluate("one => one.scrollWidth <= one.clientWidth")
            heads = await page.locator(f"{box} thead th").evaluate_all(
                "all => all.map((one) => one.getBoundingClientRect().height)"
            )
            assert max(heads) < 60  # no head is broken within its words
            await page.set_viewport_size({"width": 2560, "height": 1200})
            edges = [
                await page.locator(one).evaluate("one => one.getBoundingClientRect().left")
                for one in ("header .brand", "main h1")
            ]
            assert edges[0] == edges[1]
            await page.set_viewport_size({"width": 1280, "height": 900})
            await page.goto(f"{url}/variants/1")
            tops = await page.locator("input[name=rating]").evaluate_all(
                "all => all.map((one) => one.getBoundingClientRect().top)"
            )
            assert len(tops) == 6
            assert len(set(tops)) == 1
            await browser.close()
    assert found == []
