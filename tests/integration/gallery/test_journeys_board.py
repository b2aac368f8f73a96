"""From what is new to a board that a person without an account sees, and keeps as a file.

One of the ads does what it can to harm whoever looks at it.
"""

import re
import zipfile
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from adspark.creatives.store import save_creatives
from adspark.db.engine import Database
from adspark.library.marks.notes import write_title
from adspark.models import EventKind, Role
from adspark.users.accounts import save_password
from adspark.users.store import add_user
from tests.support.factories import creative
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import ad, buy_words, fill_library
from tests.support.noticed import add_event, add_picture, add_watch, ago

_PATIENCE = 60_000  # milliseconds
_PASSWORD = "  tulips and 1 anchor "
_HOSTILE = "</textarea><script>document.title='owned'</script><img src=x onerror=alert(1)>\u202e"
_PRIVATE = "Only Ana reads this"


async def _fill(database: Database, media: Path) -> None:
    """Two new ads with pictures, one of them hostile; Ana has an account, and titled the other."""
    await fill_library(database)
    async with database.session() as session:
        row = creative(2, advertiser=_HOSTILE, target_domain="javascript:alert(1)")
        await save_creatives(session, rows=[row], region="2840", platform="SEARCH")
        await buy_words(session, 2, headline=_HOSTILE, snippet=_HOSTILE, link="javascript:alert(1)")
        ana = await add_user(session, name="Ana")
        await save_password(session, user_id=ana, password=_PASSWORD, role=Role.EDITOR)
        await write_title(session, user_id=ana, ad_creative_id=ad(1), text=_PRIVATE)
        await session.commit()
    watch = await add_watch(database)
    for number in (1, 2):
        path = f"thumbnails/aa/{str(number) * 64}.webp"
        (media / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), (number * 90, 30, 40)).save(media / path)
        await add_picture(database, number, path, at=ago(hours=2))
        await add_event(database, watch, EventKind.NEW, number)


async def _open(browser: Browser, said: list[str], **context: object) -> Page:
    """A page of a new browser, which notes what goes wrong on it."""
    page = await (await browser.new_context(**context)).new_page()  # type: ignore[arg-type]
    page.set_default_timeout(_PATIENCE)

    def note(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    return page


async def _pictures(page: Page) -> list[bool]:
    """Of each picture on a page, whether it is shown."""
    found = await page.locator("img").evaluate_all(
        "all => Promise.all(all.map((one) => one.decode().then(() => one.naturalWidth > 0)))"
    )
    return [bool(one) for one in found]


async def _check_given(page: Page) -> None:
    """A board as it is given to others: in its order, with pictures and notes, and no more."""
    ids = await page.locator(".card").all_inner_texts()
    assert len(ids) == 2
    assert "owned" in ids[0]  # as text
    assert "Running shoes" in ids[1]
    assert "Bold <b>colour</b>" in ids[1]
    assert await _pictures(page) == [True, True]
    assert _PRIVATE not in await page.content()
    assert await page.title() == "Summer ideas"


async def test_from_what_is_new_to_a_board_that_others_see(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    await _fill(database, media)
    said: list[str] = []
    expect.set_options(timeout=_PATIENCE)
    with serve_gallery(database_url, media, needs_sign_in=True) as url:
        async with open_browser() as browser:
            page = await _open(browser, said, viewport={"width": 1280, "height": 900})
            await page.goto(url)
            await page.get_by_label("Name").fill("Ana")
            await page.get_by_label("Password").fill(_PASSWORD)
            await page.get_by_role("button", name="Sign in").click()
            await expect(page.get_by_role("heading", name="2 launches")).to_be_visible()

            for number, field in ((2, "New board"), (1, "Put it on")):
                await page.goto(url)
                await page.locator(f'[data-ad="{ad(number)}"] a.shown').click()
                await page.wait_for_url(f"**/ads/{ad(number)}")
                place = page.get_by_label(field)
                if field == "New board":
                    await place.fill("Summer ideas")
                    await place.press("Enter")
                else:
                    await place.select_option("Summer ideas")
                    form = page.locator("form", has=place)
                    await form.get_by_role("button").click()
                await expect(
                    page.locator("#boards").get_by_role("link", name="Summer ideas")
                ).to_be_visible()

            await page.locator("#boards").get_by_role("link", name="Summer ideas").click()
            placed = page.locator("[data-placed]")
            assert await placed.evaluate_all("all => all.map((one) => one.dataset.placed)") == [
                ad(1),
                ad(2),
            ]
            board = page.url
            version = await page.locator("[data-board]").get_attribute("data-version")
            note = page.locator(f'[data-placed="{ad(1)}"]')
            await note.locator("summary").click()
            await note.locator("textarea").fill("Bold <b>colour</b>")
            await note.locator("textarea").select_text()
            await note.locator("textarea").drag_to(placed.nth(1))  # text, and not the ad
            await note.locator("textarea").fill("Bold <b>colour</b>")
            await placed.nth(1).drag_to(placed.nth(0))
            await expect(page.locator("[data-board]")).not_to_have_attribute(
                "data-version", str(version)
            )
            await expect(note.locator("textarea")).to_have_value("Bold <b>colour</b>")
            await note.get_by_role("button", name="Keep the note").click()
            await expect(page.get_by_role("status")).to_have_text("The note was kept.")
            order = await placed.evaluate_all("all => all.map((one) => one.dataset.placed)")
            assert order == [ad(2), ad(1)]

            await page.get_by_role("button", name="Make a link").click()
            told = await page.get_by_role("status").get_by_role("textbox").input_value()
            link = re.fullmatch(r"http://\S+/shared/[\w-]{43}", told)
            assert link
            async with page.expect_download() as waited:
                await page.get_by_role("link", name="Download as a ZIP file").click()
            file = tmp_path / "board.zip"
            await (await waited.value).save_as(file)

            guest = await _open(browser, said, viewport={"width": 360, "height": 740})
            await guest.goto(link[0])
            await _check_given(guest)
            assert await guest.evaluate("document.documentElement.scrollWidth") <= 360
            await guest.goto(board)
            assert "/sign-in" in guest.url

            with zipfile.ZipFile(file) as archive:
                archive.extractall(tmp_path / "kept")
            offline = await _open(browser, said, offline=True, java_script_enabled=True)
            await offline.goto((tmp_path / "kept" / "index.html").as_uri())
            await _check_given(offline)

            await page.get_by_role("button", name="End it").click()
            await expect(page.get_by_role("status")).to_contain_text("leads nowhere any more")
            ended = await guest.goto(link[0])
            assert ended is not None
            assert ended.status == 404
            await browser.close()
    assert [one for one in said if "404" not in one] == []
