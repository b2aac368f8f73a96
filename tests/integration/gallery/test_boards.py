"""Boards in the gallery: filled from a selection, ordered, noted, shared by link and as a file."""

import asyncio
import base64
import io
import re
import zipfile
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.settings import Settings
from deployments.gallery.resources import Gallery
from deployments.gallery.routes.boards.archive import send_archive
from deployments.gallery.routes.boards.content import read_board_ads
from deployments.gallery.templating import Templates
from tests.support.gallery import GalleryClient, form_token
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


def version(page: str, do: str, number: int | None = None) -> str:
    """The version in a form of a board's page."""
    of_ad = "" if number is None else rf'<input type="hidden" name="ad" value="{ad(number)}">'
    found = re.search(
        rf'value="{do}">{of_ad}<input type="hidden" name="version" value="(\w+)"', page
    )
    assert found, page
    return found[1]


async def change(pages: GalleryClient, board: str, do: str, **fields: Any) -> httpx.Response:  # noqa: ANN401
    """Send a form of a board's page as it is now."""
    page = (await pages.get(board)).text
    if do == "move":
        found = re.search(r'data-version="(\w+)"', page)
        assert found
        fields["version"] = found[1]
    elif do in ("note", "rename"):
        number = int(fields["ad"][2:]) if do == "note" else None
        fields["version"] = version(page, do, number)
    elif do == "link":
        found = re.search(r'name="key" value="([\w-]+)"', page)
        assert found
        fields["key"] = found[1]
    return await pages.send_form(board, page=board, do=do, **fields)


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
        ({"ad": ad(1), "add-board": "", "board": ""}, "is empty; name the board"),
        ({"ad": ad(1), "add-tag": "", "tag": "a" * 200}, "has 200 characters"),
        ({"ad": [ad(1), ad(99)], "add-board": "", "board": "x"}, "is stored"),
        ({"ad": "nonsense", "add-tag": "", "tag": "x"}, "nonsense"),
    ],
)
async def test_a_selection_that_cannot_be_used_changes_nothing(
    pages: GalleryClient, database: Database, fields: dict[str, Any], said: str
) -> None:
    refused = await pages.send_form("/selection", back="/library?format=video", **fields)

    assert refused.status_code == 422
    assert said in unescape(refused.text)
    for name in ("board", "tag"):
        assert f'name="{name}" value="{fields.get(name, "")}"' in refused.text
    selected = re.findall(r'value="(CR\d+)" checked', refused.text)
    assert selected == ([ad(1)] if ad(1) in fields.get("ad", ()) else [])  # not among the videos
    assert "format=video" in refused.text
    async with database.session() as session:
        count = "SELECT (SELECT count(*) FROM board) + (SELECT count(*) FROM creative_tag)"
        assert await session.scalar(text(count)) == 0


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
async def test_no_form_leads_elsewhere(pages: GalleryClient, back: str) -> None:
    fields = {"ad": ad(1), "add-tag": "", "tag": "x"}
    done = await pages.send_form("/selection", back=back, **fields)

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

    await change(pages, board, "move", ad=ad(1), before=ad(3))
    done = await change(pages, board, "move", ad=ad(3), before="")

    assert order(done.text) == [1, 2, 3]
    await fill_board(pages, 4)
    assert order((await pages.get(board)).text) == [4, 1, 2, 3]


async def test_notes_names_and_removal(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1, 2)

    await change(pages, board, "note", ad=ad(1), note="Good <b>colour</b>")
    await change(pages, board, "remove", ad=ad(2))
    page = await change(pages, board, "rename", name="Best")

    assert "Good &lt;b&gt;colour&lt;/b&gt;" in page.text
    assert order(page.text) == [1]
    assert "<h1>Best</h1>" in page.text
    gone = await change(pages, board, "delete")
    assert "was deleted" in gone.text
    assert (await pages.get(board)).status_code == 404


async def test_a_form_that_is_sent_twice_makes_one_board_and_leads_to_it(
    pages: GalleryClient, database: Database
) -> None:
    token = form_token((await pages.get("/boards")).text)
    data = {"form_token": token, "name": "Double"}
    both = await asyncio.gather(*(pages.post("/boards", data=data) for _ in range(2)))

    assert [one.status_code for one in both] == [303, 303]
    assert both[0].headers["location"] == both[1].headers["location"]
    again = await pages.send_form("/boards", page="/boards", name="Double")
    assert "The board “Double” is there already" in again.text
    assert "<h1>Double</h1>" in again.text
    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM board")) == 1


async def test_of_two_forms_whose_names_differ_in_case_one_makes_a_board(
    pages: GalleryClient, database: Database
) -> None:
    token = form_token((await pages.get("/boards")).text)
    names = ["Double", "double", "DOUBLE"]
    await asyncio.gather(
        *(pages.post("/boards", data={"form_token": token, "name": name}) for name in names)
    )

    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM board")) == 1


async def test_a_board_takes_no_name_of_another_in_any_case_but_its_own(
    pages: GalleryClient,
) -> None:
    await pages.send_form("/boards", page="/boards", name="Winter")
    board = await fill_board(pages, 1)

    async def rename(name: str) -> httpx.Response:
        form = {"do": "rename", "version": version((await pages.get(board)).text, "rename")}
        return await pages.send_form(board, page=board, **form, name=name)

    refused = await rename("WINTER")
    assert refused.status_code == 422
    assert "you have a board &#39;Winter&#39; already; choose another name" in refused.text
    assert "<h1>Ideas</h1>" in refused.text
    assert "<h1>IDEAS</h1>" in (await rename("IDEAS")).text


async def test_a_name_that_cannot_be_used_is_kept_in_the_form(pages: GalleryClient) -> None:
    refused = await pages.send_form("/boards", page="/boards", name="x" * 101)

    assert refused.status_code == 422
    assert f'value="{"x" * 101}"' in refused.text
    assert "has 101 characters" in refused.text


async def test_a_name_with_what_is_not_seen_is_refused_and_one_stored_before_is_found(
    pages: GalleryClient, database: Database
) -> None:
    board = await fill_board(pages, 1)
    hidden = "a\u202eb"
    made = await pages.send_form("/boards", page="/boards", name=hidden)
    renamed = await change(pages, board, "rename", name=hidden)
    for refused in (made, renamed):
        assert refused.status_code == 422
        assert "holds invisible characters" in refused.text

    async with database.session() as session:
        await session.execute(text("UPDATE board SET name = :name"), {"name": hidden})
        await session.commit()
    fields = {"add-board": "", "board": hidden, "ad": ad(2), "back": "/library"}
    assert (await pages.send_form("/selection", **fields)).status_code == 200
    assert (await pages.get(board)).text.count("data-ad=") == 2


async def test_a_form_that_is_sent_twice_makes_one_link(
    pages: GalleryClient, database: Database
) -> None:
    board = await fill_board(pages, 1)
    key = {"do": "link", "days": "7", "key": "3c59"}
    links = [
        re.search(r"/shared/[\w-]{43}", (await pages.send_form(board, page=board, **key)).text)
        for _ in range(2)
    ]

    assert links[0]
    assert links[1]
    assert links[0][0] == links[1][0]
    other = await fill_board(pages, 2, name="Other")
    assert links[0][0] not in (await pages.send_form(other, page=other, **key)).text
    async with database.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM board_link")) == 2


async def test_the_second_who_writes_a_note_is_shown_the_first_ones(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1)
    seen = version((await pages.get(board)).text, "note", 1)
    form = {"do": "note", "ad": ad(1), "version": seen}

    await pages.send_form(board, page=board, **form, note="first")
    again = await pages.send_form(board, page=board, **form, note="first")
    second = await pages.send_form(board, page=board, **form, note="second")

    assert again.status_code == 200  # a form that is sent twice
    assert second.status_code == 409
    assert "Somebody has changed this note meanwhile" in second.text
    assert ">second</textarea>" in second.text
    assert '<p class="board-note">first</p>' in second.text
    form["version"] = version(second.text, "note", 1)
    replaced = await pages.send_form(board, page=board, **form, note="second")
    assert ">second</textarea>" in replaced.text


async def test_a_note_on_an_ad_that_is_off_the_board_by_now_is_shown_and_not_lost(
    pages: GalleryClient,
) -> None:
    board = await fill_board(pages, 1)
    form = {"do": "note", "ad": ad(1), "version": version((await pages.get(board)).text, "note", 1)}
    await change(pages, board, "remove", ad=ad(1))

    answer = await pages.send_form(board, page=board, **form, note="Good <b>colour</b>")

    assert answer.status_code == 422
    assert f"{ad(1)} is not on the board any more." in answer.text
    assert "Good &lt;b&gt;colour&lt;/b&gt;</textarea>" in answer.text


async def test_the_second_who_renames_a_board_is_shown_the_first_ones_name(
    pages: GalleryClient,
) -> None:
    board = await fill_board(pages, 1)
    form = {"do": "rename", "version": version((await pages.get(board)).text, "rename")}

    await pages.send_form(board, page=board, **form, name="First")
    second = await pages.send_form(board, page=board, **form, name="Second")

    assert second.status_code == 409
    assert "Somebody has renamed this board meanwhile" in second.text
    assert "<h1>First</h1>" in second.text
    assert 'name="name" value="Second"' in second.text


async def test_the_second_who_orders_a_board_is_shown_the_first_ones_order(
    pages: GalleryClient,
) -> None:
    board = await fill_board(pages, 1, 2, 3)
    page = (await pages.get(board)).text
    first, middle, last = order(page)
    seen = re.search(r'data-version="(\w+)"', page)
    assert seen
    form = {"do": "move", "version": seen[1]}

    await pages.send_form(board, page=board, **form, ad=ad(last), before=ad(first))
    again = await pages.send_form(board, page=board, **form, ad=ad(last), before=ad(first))
    second = await pages.send_form(board, page=board, **form, ad=ad(first), before="")

    assert again.status_code == 200  # a form that is sent twice
    assert second.status_code == 409
    assert "Your move was not made" in second.text
    assert order(second.text) == [last, first, middle]


@pytest.mark.parametrize(
    ("fields", "typed"),
    [
        ({"do": "rename", "name": "y" * 101}, f'name="name" value="{"y" * 101}"'),
        ({"do": "rename", "name": "Other"}, 'name="name" value="Other"'),
        ({"do": "note", "ad": ad(1), "note": "n" * 5001}, f">{'n' * 5001}</textarea>"),
        ({"do": "link", "days": "400"}, 'name="days" value="400"'),
        ({"do": "link", "days": "many"}, 'name="days" value="many"'),
    ],
)
async def test_what_is_typed_stays_with_what_is_wrong_beside_it(
    pages: GalleryClient, fields: dict[str, str], typed: str
) -> None:
    await fill_board(pages, 2, name="Other")
    board = await fill_board(pages, 1)

    refused = await pages.send_form(board, page=board, **fields)

    assert refused.status_code == 422
    assert typed in refused.text
    assert refused.text.count('class="problem"') == 1
    assert refused.text.count("aria-invalid") == 1


async def test_a_board_that_is_not_there_leads_to_the_boards(pages: GalleryClient) -> None:
    for path in ("/boards/99", "/boards/99/archive", "/boards/0", f"/boards/{'9' * 30}"):
        missing = await pages.get(path)
        assert missing.status_code == 404
        assert '<a class="button" href="/boards">' in missing.text


async def test_another_users_board_is_not_there(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1)

    assert (await pages.get(board, headers={"Cookie": "adspark_user=2"})).status_code == 404


async def test_a_link_shows_the_board_until_it_ends(
    pages: GalleryClient, database: Database
) -> None:
    board = await fill_board(pages, 1)
    made = await change(pages, board, "link", days="2")
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


async def test_a_note_of_which_nothing_is_seen_takes_the_note_away(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1)
    await change(pages, board, "note", ad=ad(1), note="For the launch")
    assert "For the launch" in (await pages.get(board)).text
    await change(pages, board, "note", ad=ad(1), note="\u3164\u2800")
    page = (await pages.get(board)).text
    assert "For the launch" not in page
    assert "\u3164" not in page
    refused = await change(pages, board, "note", ad=ad(1), note="a\u202eb")
    assert refused.status_code == 422


async def test_what_is_the_owners_alone_is_neither_shared_nor_in_the_file(
    pages: GalleryClient,
) -> None:
    board = await fill_board(pages, 1, 2)
    for number, title, shared in ((1, "OWN-TITLE", {}), (2, "SEEN-TITLE", {"shared": "on"})):
        page = f"/ads/{ad(number)}"
        found = re.search(r'name="version" value="(\w+)"', (await pages.get(page)).text)
        assert found
        fields = {"title": title, "version": found[1]} | shared
        await pages.send_form(f"{page}/title", page=page, **fields)
    assert "OWN-TITLE" in (await pages.get(board)).text
    made = await change(pages, board, "link", days="2")
    link = re.search(r"(/shared/[\w-]{43})", made.text)
    assert link

    shown = (await pages.get(link[1])).text
    with zipfile.ZipFile(io.BytesIO((await pages.get(f"{board}/archive")).content)) as archive:
        kept = archive.read("index.html").decode()
    for page in (shown, kept):
        assert "OWN-TITLE" not in page
        assert "SEEN-TITLE" in page


async def test_a_link_ends_when_its_user_ends_it(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1)
    made = await change(pages, board, "link", days="365")
    link = re.search(r"(/shared/[\w-]{43})", made.text)
    number = re.search(r'name="link" value="(\d+)"', made.text)
    assert link
    assert number

    await change(pages, board, "unlink", link=number[1])

    assert (await pages.get(link[1])).status_code == 404


@pytest.mark.parametrize("end", ["ended", "expired"])
async def test_a_form_that_is_sent_again_brings_no_link_back(
    pages: GalleryClient, database: Database, end: str
) -> None:
    board = await fill_board(pages, 1)
    form = {"do": "link", "days": "7", "key": "3c59"}
    made = await pages.send_form(board, page=board, **form)
    link = re.search(r"(/shared/[\w-]{43})", made.text)
    number = re.search(r'name="link" value="(\d+)"', made.text)
    assert link
    assert number
    if end == "ended":
        await change(pages, board, "unlink", link=number[1])
    else:
        async with database.session() as session:
            await session.execute(text("UPDATE board_link SET expires_at = now()"))
            await session.commit()

    again = await pages.send_form(board, page=board, **form)

    assert again.status_code == 409
    assert "The link that this form made has ended. Make a new one." in again.text
    assert "Send this link" not in again.text
    assert (await pages.get(link[1])).status_code == 404
    fresh = re.search(r'name="key" value="([^"]+)"', again.text)
    assert fresh
    other = await pages.send_form(board, page=board, **form | {"key": fresh[1]})
    assert "Send this link" in other.text


@pytest.mark.parametrize("days", ["0", "366", "-1", "many", "9" * 30])
async def test_a_link_that_could_not_expire_is_refused(pages: GalleryClient, days: str) -> None:
    board = await fill_board(pages, 1)

    refused = await change(pages, board, "link", days=days)

    assert refused.status_code == 422
    assert f'name="days" value="{days}"' in refused.text
    assert "aria-invalid" in refused.text
    said = "is not a number" if days == "many" else f"must be 1 to 365, not {days}"
    assert said in refused.text


async def test_a_board_is_a_file_that_opens_without_a_network(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1, 2, name="Äpfel & Birnen")

    answer = await pages.get(f"{board}/archive")

    assert "filename*=UTF-8''%C3%84pfel-Birnen.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        page = archive.read("index.html").decode()
        assert "gallery.css" in archive.namelist()
    assert "Running shoes" in page
    assert not re.search(r'(src|href)="(https?:)?//?', page)


async def keep_picture(database: Database, media: Path, number: int, content: bytes) -> str:
    """A whole picture and a thumbnail of an ad, as the archive keeps them; the whole one's path."""
    path, thumbnail = (
        f"{kind}/{number:02d}/{number:064d}.webp" for kind in ("pictures", "thumbnails")
    )
    for one, written in ((path, content), (thumbnail, b"small")):
        (media / one).parent.mkdir(parents=True, exist_ok=True)
        (media / one).write_bytes(written)
    async with database.session() as session:
        insert = """INSERT INTO picture_version (ad_creative_id, content_hash, status, path,
            thumbnail_path) VALUES (:ad, 'x', 'stored', :path, :thumbnail)"""
        values = {"ad": ad(number), "path": path, "thumbnail": thumbnail}
        await session.execute(text(insert), values)
        await session.commit()
    return path


async def test_the_file_of_a_board_holds_whole_pictures_within_a_bound(
    pages: GalleryClient, database: Database, tmp_path: Path
) -> None:
    media = tmp_path / "media"
    first = await keep_picture(database, media, 1, b"1" * 700)
    second = await keep_picture(database, media, 2, b"2" * 700)
    board = await fill_board(pages, 2)
    await fill_board(pages, 1)

    answer = await pages.get(f"{board}/archive")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        page = archive.read("index.html").decode()
        assert archive.read(f"pictures/{first}") == b"1" * 700
        assert f'href="pictures/{second}"' in page
        assert "as a small one only" not in page

    async with database.session() as session:
        ads = await read_board_ads(session, board_id=1, user_id=None)
    gallery = Gallery(Settings(), database, MediaStore(str(media)), Templates())
    bounded = await send_archive(gallery, "Ideas", ads, most_bytes=1000)
    content = b"".join([one async for one in bounded.body_iterator if isinstance(one, bytes)])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        page = archive.read("index.html").decode()
        assert len([one for one in archive.namelist() if "/pictures/" in one]) == 1
        assert len([one for one in archive.namelist() if "/thumbnails/" in one]) == 2
        assert "1 picture is here as a small one only" in page

    (media / second).unlink()  # lost, and not left out for its size
    answer = await pages.get(f"{board}/archive")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        page = archive.read("index.html").decode()
        assert f'href="pictures/{first}"' in page
        assert "to bound the size" not in page


async def test_a_new_link_stands_in_a_field_and_the_page_says_who_can_open_it(
    pages: GalleryClient,
) -> None:
    board = await fill_board(pages, 1)

    made = await pages.send_form(board, page=board, do="link", days="2")

    assert re.search(r'<input type="text" readonly value="http://127\.0\.0\.1/shared/', made.text)
    assert "data-copy" in made.text
    assert "open on this machine only" in made.text
    elsewhere = await pages.get(board, headers={"Host": "ads.example.com"})
    assert "open on this machine only" not in elsewhere.text


async def test_what_was_done_is_told_otherwise_than_what_was_not(pages: GalleryClient) -> None:
    board = await fill_board(pages, 1)

    done = await pages.send_form(board, page=board, do="remove", ad=ad(1))
    written = base64.urlsafe_b64encode(b'["notice.variant_moved_on", {}]').decode()
    refused = await pages.get("/boards", headers={"Cookie": f"adspark_notice={written}"})

    assert '<div class="note done" role="status" data-notice>' in done.text
    assert '<div class="note" role="status" data-notice><p>Nothing was done' in refused.text
