"""Boards in the gallery: filled from a selection, ordered, noted, shared by link and as a file."""

import io
import re
import zipfile
from html import unescape
from typing import Any

import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from tests.support.gallery import GalleryClient
from tests.support.library import ad


async def fill_board(pages: GalleryClient, *numbers: int, name: str = "Ideas") -> str:
    """Put ads on a board through the library's page; returns the address of the board."""
    ads = [ad(number) for number in numbers]
    fields: dict[str, Any] = {"ad": ads, "board": name, "add-board": "", "back": "/boards"}
    done = await pages.send_form("/selection", **fields)
    page = unescape(done.text)
    assert f"On the board “{name}”" in page
    found = re.search(rf'href="(/boards/\d+)">{name}<', page)
    assert found
    return found[1]


def order(page: str) -> list[int]:
    """The numbers of a board's ads, in order."""
    return [int(one) for one in re.findall(r'data-placed="CR0*(\d+)"', page)]


async def test_a_selection_is_put_on_a_new_board_and_then_on_the_same(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1, 2)
    await fill_board(pages, 2, 3)

    assert sorted(order((await pages.get(board)).text)) == [1, 2, 3]


async def test_a_selection_is_tagged(pages: GalleryClient) -> None:
    fields: dict[str, Any] = {
        "ad": [ad(1), ad(4)],
        "tag": "Autumn",
        "add-tag": "",
        "back": "/library?tag=Autumn",
    }
    done = await pages.send_form("/selection", **fields)

    assert "Tagged: 2" in done.text
    assert sorted(re.findall(r'data-ad="CR0*(\d+)"', done.text)) == ["1", "4"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"add-board": "", "board": "x"}, "Select some ads first"),
        ({"ad": ad(1), "add-board": "", "board": ""}, "Nothing was changed"),
        ({"ad": ad(1), "add-tag": "", "tag": "a" * 200}, "Nothing was changed"),
        ({"ad": [ad(1), ad(99)], "add-board": "", "board": "x"}, "is stored"),
        ({"ad": "nonsense", "add-tag": "", "tag": "x"}, "nonsense"),
    ],
)
async def test_a_selection_that_cannot_be_used_changes_nothing(
    pages: GalleryClient, database: Database, fields: dict[str, str], said: str
) -> None:
    done = await pages.send_form("/selection", back="/library", **fields)

    assert said in unescape(done.text)
    async with database.session() as session:
        count = "SELECT (SELECT count(*) FROM board) + (SELECT count(*) FROM creative_tag)"
        assert await session.scalar(text(count)) == 0


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
async def test_no_form_leads_elsewhere(pages: GalleryClient, back: str) -> None:
    done = await pages.send_form("/selection", back=back)

    assert done.url.host == "127.0.0.1"
    assert done.url.path == "/library"


async def test_a_form_without_the_token_of_this_browser_changes_nothing(
    pages: GalleryClient,
) -> None:
    refused = await pages.post("/boards", data={"name": "x", "form_token": "0" * 64})

    assert refused.status_code == 403
    assert "out of date" in refused.text
    assert "You have no board yet" in (await pages.get("/boards")).text


async def test_ads_are_moved_and_keep_their_order(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1)
    await fill_board(pages, 2)
    await fill_board(pages, 3)
    assert order((await pages.get(board)).text) == [3, 2, 1]

    await pages.send_form(board, page=board, do="move", ad=ad(1), before=ad(3))
    done = await pages.send_form(board, page=board, do="move", ad=ad(3), before="")

    assert order(done.text) == [1, 2, 3]
    await fill_board(pages, 4)
    assert order((await pages.get(board)).text) == [4, 1, 2, 3]


async def test_notes_names_and_removal(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1, 2)

    await pages.send_form(board, page=board, do="note", ad=ad(1), note="Good <b>colour</b>")
    await pages.send_form(board, page=board, do="remove", ad=ad(2))
    page = await pages.send_form(board, page=board, do="rename", name="Best")

    assert "Good &lt;b&gt;colour&lt;/b&gt;" in page.text
    assert order(page.text) == [1]
    assert "<h1>Best</h1>" in page.text
    gone = await pages.send_form(board, page=board, do="delete")
    assert "was deleted" in gone.text
    assert (await pages.get(board)).status_code == 404


async def test_a_name_that_is_taken_is_refused_and_kept_in_the_form(pages: GalleryClient) -> None:
    await fill_board(pages, 1)

    refused = await pages.send_form("/boards", page="/boards", name="Ideas")

    assert refused.status_code == 422
    assert 'value="Ideas"' in refused.text
    assert "has a board &#39;Ideas&#39; already" in refused.text


async def test_another_users_board_is_not_there(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1)

    assert (await pages.get(board, headers={"Cookie": "adspark_user=2"})).status_code == 404


async def test_a_link_shows_the_board_until_it_ends(
    pages: GalleryClient, database: Database
) -> None:
    board = await fill_board(pages, 1)
    made = await pages.send_form(board, page=board, do="link", days="2")
    link = re.search(r"(/shared/[\w-]{43})", made.text)
    assert link
    other = {"Cookie": ""}

    shown = await pages.get(link[1], headers=other)
    assert "<h1>Ideas</h1>" in shown.text
    assert "form" not in shown.text
    assert (await pages.get(f"{link[1]}/media/thumbnails/aa/{'a' * 64}.webp")).status_code == 404

    async with database.session() as session:
        await session.execute(text("UPDATE board_link SET expires_at = now()"))
        await session.commit()
    assert (await pages.get(link[1], headers=other)).status_code == 404


async def test_a_link_ends_when_its_user_ends_it(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1)
    made = await pages.send_form(board, page=board, do="link", days="365")
    link = re.search(r"(/shared/[\w-]{43})", made.text)
    number = re.search(r'name="link" value="(\d+)"', made.text)
    assert link
    assert number

    await pages.send_form(board, page=board, do="unlink", link=number[1])

    assert (await pages.get(link[1])).status_code == 404


@pytest.mark.parametrize("days", ["0", "366", "-1", "many", "9" * 30])
async def test_a_link_that_could_not_expire_is_refused(pages: GalleryClient, days: str) -> None:
    board = await fill_board(pages, 1)

    refused = await pages.send_form(board, page=board, do="link", days=days)

    assert "Nothing was changed. days:" in refused.text


async def test_a_board_is_a_file_that_opens_without_a_network(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1, 2, name="Äpfel & Birnen")

    answer = await pages.get(f"{board}/archive")

    assert "filename*=UTF-8''%C3%84pfel-Birnen.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        page = archive.read("index.html").decode()
        assert "gallery.css" in archive.namelist()
    assert "Running shoes" in page
    assert not re.search(r'(src|href)="(https?:)?//?', page)
