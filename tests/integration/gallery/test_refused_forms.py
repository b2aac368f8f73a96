"""On a phone, a form that was refused says so where the page opens, leads to the field, and holds
what was typed or pasted, whole."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page
from sqlalchemy import text

from adspark.creatives.boards import add_ads, find_or_create_board
from adspark.db.engine import Database
from tests.support.gallery import open_browser, serve_gallery
from tests.support.library import ad, fill_library
from tests.support.variants_at_hand import ask, finish

pytestmark = pytest.mark.usefixtures("prefect_away")

_IS_SEEN = """one => {
    const box = one.getBoundingClientRect();
    return box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
}"""
_SEND = """(form, [name, value]) => {
    const field = form.querySelector(`[name="${name}"]`);
    field.focus();
    field.select();
    document.execCommand(value ? "insertText" : "delete", false, value);
    form.noValidate = true;
    const button = form.querySelector("button:not([name]), button[name=create]");
    form.requestSubmit(button);
}"""
_LONG = 6000 * "x"


@dataclass(frozen=True)
class Form:
    """A form of a page, and its field; `wrong` is refused, None: what another window changed is."""

    path: str
    form: str
    field: str
    wrong: str | None = None


FORMS = {
    "a review": Form("/variants/1", ".review", "comment"),
    "a note on a board": Form("/boards/1", "form:has([name=note]):visible >> nth=4", "note"),
    "a board's name": Form("/boards/1", "form:has([name=name])", "name"),
    "an ad's title": Form(f"/ads/{ad(4)}", "#title form", "title"),
    "an ad's note": Form(f"/ads/{ad(4)}", "#note form", "note"),
    "a long review": Form("/variants/1", ".review", "comment", _LONG),
    "a long note on a board": Form(
        "/boards/1", "form:has([name=note]):visible >> nth=4", "note", _LONG
    ),
    "no name of a board": Form("/boards/1", "form:has([name=name])", "name", ""),
    "a board's link": Form("/boards/1", "form:has([name=days])", "days", "0"),
    "a new board": Form("/boards", "main form", "name", _LONG),
    "an ad's tag": Form(f"/ads/{ad(4)}", "#tags form.inline", "tag", _LONG),
    "an ad's board": Form(f"/ads/{ad(4)}", "form:has([name=new])", "new", _LONG),
    "a long note": Form(f"/ads/{ad(4)}", "#note form", "note", _LONG),
    "a request": Form(f"/variants/new?ad={ad(4)}", "main form", "prompt", ""),
    "an export": Form("/variants/export", "main form", "final_url", "x"),
}


async def _fill(database: Database) -> None:
    await fill_library(database)
    async with database.session() as session:
        board, _ = await find_or_create_board(session, user_id=1, name="Ideas")
        await add_ads(session, board_id=board.id, ids=[ad(number) for number in range(1, 6)])
        await session.execute(text("UPDATE board_creative SET note = 'Stored'"))
        await finish(session, await ask(session, ad=ad(4), prompt="Cups. " * 400))
        await session.commit()


async def _open(browser: Browser, url: str) -> Page:
    page = await browser.new_page(viewport={"width": 390, "height": 700}, reduced_motion="reduce")
    await page.goto(url)
    return page


async def _send(page: Page, form: Form, value: str) -> None:
    async with page.expect_navigation():
        await page.locator(form.form).first.evaluate(_SEND, [form.field, value])


async def _check(browser: Browser, url: str, form: Form) -> None:
    page = await _open(browser, url + form.path)
    if form.wrong is None:
        other = await _open(browser, url + form.path)
        await _send(other, form, "Theirs")
        await other.close()
    await _send(page, form, "Mine" if form.wrong is None else form.wrong)
    link = page.locator("[role=alert] a")
    assert await link.evaluate(_IS_SEEN), await page.inner_text("main")
    said = await link.inner_text()
    problem = page.locator(str(await link.get_attribute("href")))
    if form.wrong == _LONG:
        typed = page.locator(f"[name={form.field}]")
        assert _LONG in await typed.evaluate_all("all => all.map((one) => one.value)")
    assert said.endswith(await problem.inner_text())
    await link.click()
    assert await problem.evaluate(_IS_SEEN), await problem.evaluate(
        "one => [scrollY, innerHeight, JSON.stringify(one.getBoundingClientRect())]"
    )
    await page.close()


async def test_each_refused_form_says_so_at_the_top_and_leads_to_its_field(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await _fill(database)
    with serve_gallery(database_url, tmp_path / "media") as url:
        async with open_browser() as browser:
            for name, form in FORMS.items():
                try:
                    await _check(browser, url, form)
                except Exception as error:
                    raise AssertionError(name) from error
