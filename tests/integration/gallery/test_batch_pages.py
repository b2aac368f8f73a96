"""The pages of batches, where Prefect is away: a grid is confirmed, followed, paused, cancelled."""

import io
import os
import re
import zipfile
from pathlib import Path

import pytest

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.users.store import add_user
from adspark.variants.batches.store import cancel_batch
from adspark.variants.budget import set_budget
from adspark.variants.handover.approved import read_approved
from adspark.variants.handover.files import Destination, check_destination, write_zip
from adspark.variants.lists import list_variants
from adspark.variants.reviews.store import Review, save_review
from tests.support.checked import BROKEN
from tests.support.gallery import GalleryClient, keep_variant_picture
from tests.support.library import ad
from tests.support.variants_at_hand import ask, finish, read

pytestmark = pytest.mark.usefixtures("prefect_away")

FORM, BATCH = "/variants/new", "/variants/batches/1"
GRID = {"key": "6f0d6f6c5f0b4b52a1a5c9d6f6b8a001", "ad": [ad(1), ad(2)]} | {
    "prompt": ["Red <b>", "", "Blue"]
}


async def number_of_variants(database: Database) -> int:
    async with database.session() as session:
        return len(await list_variants(session, limit=100))


async def test_a_grid_says_what_is_there_and_how_long_it_takes_before_it_is_requested(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await ask(session, ad(1), prompt="Blue")
        await session.commit()
    asked = await pages.send_form(FORM, FORM, **GRID)
    assert "These are 3 generations, each of which is paid for." in asked.text
    assert "1 variant of the same ad and prompt is there already" in asked.text
    assert "At least 1 s (1 at once, 30 a minute at most, behind 1 open variant)" in asked.text
    assert re.findall(r'name="prompt" value="(.*?)"', asked.text) == ["Red &lt;b&gt;", "Blue"]
    assert await number_of_variants(database) == 1

    for _ in range(2):  # the second is the same form, sent again
        answer = await pages.send_form(FORM, FORM, **GRID, confirmed="3")
    assert answer.url.path == BATCH
    assert "it begins by itself once Prefect is back" in answer.text
    assert "there already, and not requested again: 1" in answer.text
    assert await number_of_variants(database) == 4
    listed = (await pages.get("/variants/batches")).text
    assert "Red &lt;b&gt;" in listed
    assert "Ads: 2 · prompts: 2 · requested by User 1" in listed
    async with database.session() as session:
        await add_user(session, name="Zoë <b>", user_id=1)
        await session.commit()
    for page in ("/variants/batches", BATCH):
        assert "requested by Zoë &lt;b&gt; ·" in (await pages.get(page)).text
    assert "by Zoë &lt;b&gt;" in (await pages.get("/variants/2")).text


async def test_a_form_sent_again_with_another_prompt_asks_for_its_price_and_is_another_batch(
    pages: GalleryClient, database: Database
) -> None:
    await pages.send_form(FORM, FORM, **GRID, confirmed="4")
    changed = GRID | {"prompt": ["Green", "Blue"]}  # after the browser's Back
    asked = await pages.send_form(FORM, FORM, **changed)
    assert "These are 2 generations, each of which is paid for." in asked.text
    assert await number_of_variants(database) == 4

    answer = await pages.send_form(FORM, FORM, **changed, confirmed="2")
    assert answer.url.path == "/variants/batches/2"
    assert await number_of_variants(database) == 6


async def test_a_budget_that_is_too_small_is_said_before_anything_is_confirmed(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await set_budget(session, user_id=1, monthly=3)
        await session.commit()
    asked = await pages.send_form(FORM, FORM, **GRID)
    assert asked.status_code == 422
    assert "3 left), and this takes 4. It renews on" in asked.text
    assert "adspark users" not in asked.text
    assert await number_of_variants(database) == 0


async def test_its_page_follows_it_and_its_buttons_pause_resume_and_cancel_it(
    pages: GalleryClient, database: Database
) -> None:
    await pages.send_form(FORM, FORM, **GRID, confirmed="4")
    state = (await pages.get(f"{BATCH}/progress")).json()
    assert state == {"state": "running 4 0 0 0 0", "is_open": True}
    async with database.session() as session:
        done = await read(session, 2)
        await finish(session, done, title="Sun <i>", picture_similarity=0.25, rule_check=BROKEN)
        await session.commit()
    shown = (await pages.get(BATCH)).text
    assert shown.count("1 check of brand rules failed") == 1
    assert "1 of 4 completed, 3 open" in shown
    assert "25% like the original" in shown
    places = re.findall(r'data-fresh="variant-(\d)"', shown)
    assert places[0] == "2"
    assert "Sun &lt;i&gt;" in shown

    (listed,) = (await pages.get("/api/v1/batches")).json()["batches"]
    one = (await pages.get("/api/v1/batches/1?limit=3")).json()
    assert one["batch"] == listed
    assert (listed["status"], listed["variants"], listed["completed"]) == ("running", 4, 1)
    assert (one["variants"][0]["id"], len(one["variants"]), one["next"]) == (2, 3, 3)
    rest = (await pages.get("/api/v1/batches/1?after=3")).json()
    assert (len(rest["variants"]), rest["next"]) == (1, None)

    paused = await pages.send_form(f"{BATCH}/pause", BATCH)
    assert "The batch is paused." in paused.text
    assert "0 submitted before are fetched" in paused.text
    again = await pages.send_form(f"{BATCH}/pause", BATCH)
    assert "The batch is paused." not in again.text
    resumed = await pages.send_form(f"{BATCH}/resume", BATCH)
    assert resumed.status_code == 200
    assert (await pages.get(f"{BATCH}/progress")).json()["state"] == "running 3 0 1 0 0"
    async with database.session() as session:
        await cancel_batch(session, batch_id=1)
        await session.commit()
    for page in (BATCH, "/variants/batches"):
        assert "1 of 4 completed, 3 cancelled" in (await pages.get(page)).text


async def test_a_batch_that_is_not_there_is_a_page_that_says_so(pages: GalleryClient) -> None:
    missing = await pages.get("/variants/batches/9")
    assert missing.status_code == 404
    assert (await pages.get("/variants/batches/x")).status_code == 404
    for path, status in (("9", 404), ("0", 404), ("1?after=-1", 422), ("1?x=1", 422)):
        assert (await pages.get(f"/api/v1/batches/{path}")).status_code == status, path


async def test_approved_variants_are_downloaded_for_google_ads(
    pages: GalleryClient, database: Database
) -> None:
    page = "/variants/export"
    fields = {"campaign": "Shoes", "ad_group": "All", "final_url": "https://shop.example"}
    nothing = await pages.send_form(page, page, **fields)
    assert nothing.status_code == 422
    assert "none is approved" in nothing.text
    async with database.session() as session:
        made = await finish(session, await ask(session, ad(2)), description="[]", image_path=None)
        await save_review(session, variant=made, review=Review(user_id=1, is_approved=True))
        await session.commit()
    nothing = await pages.send_form(page, page, **fields)
    assert nothing.status_code == 422
    assert "Left out: variant 1, [] (Google Ads Editor takes it for an order" in nothing.text
    async with database.session() as session:
        done = await finish(session, await ask(session, ad(1)), description="Run", image_path=None)
        await save_review(session, variant=done, review=Review(user_id=1, is_approved=True))
        await session.commit()
    wrong = await pages.send_form(page, page, **(fields | {"final_url": "ftp://<x>"}))
    assert "write the address of your page" in wrong.text
    assert 'value="ftp://&lt;x&gt;"' in wrong.text
    assert 'value="Shoes"' in wrong.text

    file = await pages.send_form(page, page, **fields)
    assert file.headers["content-disposition"] == 'attachment; filename="variants.zip"'
    with zipfile.ZipFile(io.BytesIO(file.content)) as archive:
        assert set(archive.namelist()) == {"google-ads.csv", "left-out.csv", "variants.csv"}
        assert '"Run"' in archive.read("google-ads.csv").decode()
    for batch in ("1", "1x", "99999999999"):
        other = await pages.send_form(page, page, **fields, batch=batch)
        assert (other.status_code, "There is no such batch." in other.text) == (404, True), batch


async def test_a_download_for_google_ads_holds_as_many_pictures_as_have_room_and_names_the_rest(
    pages: GalleryClient, database: Database, tmp_path: Path
) -> None:
    media = MediaStore(str(tmp_path / "media"))
    async with database.session() as session:
        for number in range(1, 6):
            path = f"variants/{number:02x}/{number:02x}{'0' * 62}.png"
            Path(media.locate(path)).parent.mkdir(parents=True)
            Path(media.locate(path)).touch()
            os.truncate(media.locate(path), 20 * 2**20)
            asked = await ask(session, ad(number))
            made = await finish(session, asked, description=f"Run {number}", image_path=path)
            await save_review(session, variant=made, review=Review(user_id=1, is_approved=True))
        await session.commit()
        variants = await read_approved(session, batch_id=None)
    fields = {"campaign": "Shoes", "ad_group": "All", "final_url": "https://shop.example"}
    answer = await pages.send_form("/variants/export", "/variants/export", **fields)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        pictures = [name for name in archive.namelist() if name.startswith("pictures/")]
        assert len(pictures) == 3
        assert archive.read("google-ads.csv").decode().count("Run ") == 5
        left_out = archive.read("left-out.csv").decode()
        assert left_out.count('"picture","there is no more room in this file; adspark variant') == 2
    whole = io.BytesIO()
    done = await write_zip(whole, variants, check_destination(Destination(**fields)), media)
    assert done.pictures == 5


@pytest.mark.parametrize(
    "address",
    [
        "/variants/batches/999",
        "/variants/batches/x",
        "/variants/export?batch=abc",
        "/variants/export?batch=99",
        "/variants/export?batch=0",
        "/variants/export?batch=99999999999",
    ],
)
async def test_a_batch_that_is_not_there_is_called_one(pages: GalleryClient, address: str) -> None:
    page = await pages.get(address)
    assert page.status_code == 404
    assert "There is no such batch." in page.text
    assert 'href="/variants/batches"' in page.text


async def test_no_form_is_shown_for_a_variant_of_one_that_is_not_there(
    pages: GalleryClient,
) -> None:
    page = await pages.get(f"{FORM}?ad={ad(1)}&of=99")
    assert (page.status_code, "There is no such variant." in page.text) == (404, True)


async def test_a_variant_of_a_variant_is_requested_and_shown_with_where_it_came_from(
    pages: GalleryClient, database: Database, tmp_path: Path
) -> None:
    picture = await keep_variant_picture(tmp_path / "media")
    async with database.session() as session:
        await finish(session, await ask(session, ad(1)), image_path=picture)
        await session.commit()
    assert f"/variants/new?ad={ad(1)}&amp;of=1" in (await pages.get("/variants/1")).text
    form = f"{FORM}?ad={ad(1)}&of=1"
    assert "Made from variant 1, its picture and its copy." in (await pages.get(form)).text
    sent = GRID | {"ad": ad(1), "prompt": "Colder", "of": "1"}
    shown = (await pages.send_form(FORM, form, **sent)).text
    assert '<dt>Made from</dt><dd><a href="/variants/1">Variant 1</a></dd>' in shown
    several = await pages.send_form(FORM, form, **(GRID | {"ad": ad(1), "of": "1"}))
    assert "a variant of a variant takes one prompt" in several.text


async def test_what_works_is_said_with_cases_and_interval(
    pages: GalleryClient, database: Database
) -> None:
    assert "Nobody has decided yet." in (await pages.get("/variants/outcomes")).text
    assert "nobody has decided yet" in (await pages.get("/variants")).text
    async with database.session() as session:
        done = await finish(session, await ask(session, ad(1), prompt="Red <b>"))
        await save_review(session, variant=done, review=Review(user_id=1, is_approved=True))
        await session.commit()
    shown = (await pages.get("/variants/outcomes")).text
    assert "Red &lt;b&gt;" in shown
    assert shown.count("1 of 1: 100% (21% to 100%)") == 3
    assert "of 1 decided; 21% to 100%" in (await pages.get("/variants")).text
