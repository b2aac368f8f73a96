"""The page of an ad: what it shows, what is written on it, and what it refuses."""

import re
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from adspark.db.engine import COMMAND_LOCK_TIMEOUT, Database
from adspark.library.marks.notes import write_note, write_title
from adspark.library.marks.of_ad import lock_version, read_marks
from adspark.library.marks.tags import share_tag, tag_ads
from adspark.media.store import MediaStore
from adspark.settings import Settings
from adspark.variants.reviews.store import Review, save_review
from deployments.gallery.access.visitor import Visitor
from deployments.gallery.app import create_app
from deployments.gallery.resources import Gallery
from deployments.gallery.templating import Templates
from tests.support.gallery import URL, GalleryClient
from tests.support.library import ad, buy_words
from tests.support.noticed import add_picture, ago
from tests.support.stored_ads import change
from tests.support.variants_at_hand import ask, finish

PAGE = f"/ads/{ad(1)}"
OTHERS = 2  # number of another user
_HASH = "a" * 64
FULL = (
    f"UPDATE creative_detail SET funded_by = 'Payer Ltd' WHERE ad_creative_id = '{ad(1)}'",
    f"INSERT INTO creative_region (ad_creative_id, region, first_shown, last_shown, times_shown) "
    f"VALUES ('{ad(1)}', '2840', '2026-05-28', '2026-06-02', '0 - 1000'), "
    f"('{ad(1)}', '2276', NULL, '2026-06-04', NULL)",
    "INSERT INTO watch (user_id, name, text, political_ads, is_active) VALUES "
    "(1, 'Shoes <b>', 'shoes', false, true), (1, 'More', 'more', false, true)",
    f"INSERT INTO watch_creative (watch_id, ad_creative_id, first_matched_at) "
    f"SELECT id, '{ad(1)}', '2026-05-29' FROM watch",
    f"INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash, occurred_at) "
    f"SELECT id, '{ad(1)}', 'new', '', timestamptz '2026-05-29' FROM watch UNION ALL "
    f"SELECT min(id), '{ad(1)}', 'changed', '', '2026-06-01' FROM watch",
    f"INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path, "
    f"thumbnail_path, width, height, first_seen_at, stored_at) SELECT ad_creative_id, "
    f"'before', 'stored', 'b', 'pictures/bb/{'b' * 64}.png', 'thumbnails/bb/{'b' * 64}.webp', "
    f"300, 250, timestamptz '2026-05-29', now() FROM creative "
    f"WHERE ad_creative_id = '{ad(1)}' UNION ALL "
    f"SELECT ad_creative_id, content_hash, 'stored', 'a', 'pictures/aa/{_HASH}.png', "
    f"'thumbnails/aa/{_HASH}.webp', 600, 500, '2026-06-01', now() "
    f"FROM creative WHERE ad_creative_id = '{ad(1)}'",
    f"INSERT INTO ad_variant (original_ad_id, user_id, prompt, title, status) "
    f"VALUES ('{ad(1)}', 1, 'p', 'Summer', 'completed')",
    f"INSERT INTO app_user (user_id, name, name_key) VALUES ({OTHERS}, 'Ada', 'ada')",
)


def said(page: str, field: str) -> str:
    """What stands beside a field."""
    found = re.search(rf'id="problem-{field}">(.*?)</span>', page, re.DOTALL)
    assert found, f"nothing is said beside {field}"
    return unescape(found[1])


def part(page: str, name: str) -> str:
    """A section of the page."""
    return page.split(f'<section id="{name}"')[1].split("</section>")[0]


async def test_it_shows_all_that_is_stored(pages: GalleryClient, database: Database) -> None:
    await change(database, *FULL)

    page = (await pages.get(PAGE)).text

    picture = part(page, "picture")
    assert picture.index(f"/media/pictures/bb/{'b' * 64}.png") < picture.index(
        f"/media/pictures/aa/{_HASH}.png"
    )
    assert 'width="600" height="500"' in picture
    assert "Before" in picture
    words = part(page, "words")
    assert "Copy bought" in words
    assert "Running shoes" in words
    facts = part(page, "facts")
    assert 'href="https://www.newbalance.com/trail-running?id=1"' in facts
    assert 'rel="noopener noreferrer nofollow"' in facts
    assert "SEARCH" in facts
    assert "Payer Ltd" in facts
    shown = part(page, "shown")
    assert "United States" in shown
    assert "Germany" in shown
    assert "0 - 1000 times" in shown
    assert shown.count('class="mark"') == 3
    events = part(page, "events")
    assert events.index("Watch Shoes") < events.index("Changed") < events.index("Watch More")
    assert 'href="/variants/1"' in page
    assert f'href="/variants/new?ad={ad(1)}"' in page
    assert 'href="/advertisers/AR04323445746671026177"' in page
    assert (
        f"https://adstransparency.google.com/advertiser/AR04323445746671026177/creative/{ad(1)}"
        in page
    )
    assert "style=" not in page
    assert "Shoes <b>" not in page


async def test_an_ad_without_a_picture_says_whether_one_is_to_come(
    pages: GalleryClient, database: Database
) -> None:
    await change(
        database,
        f"UPDATE creative SET image_url = NULL, video_link = NULL WHERE ad_creative_id = '{ad(3)}'",
        f"UPDATE creative SET image_url = 'https://x.example/1' WHERE ad_creative_id = '{ad(4)}'",
    )
    never, later = [(await pages.get(f"/ads/{ad(number)}")).text for number in (3, 4)]
    assert "SerpApi lists this ad without a picture, so that none is kept." in part(
        never, "picture"
    )
    assert "The archive has not seen this ad yet" in part(later, "picture")


async def test_its_variants_are_called_what_people_have_decided(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        made = [
            await finish(session, await ask(session, ad(2), wants_review=number == 3))
            for number in range(4)
        ]
        for one, is_approved in ((made[1], True), (made[2], False)):
            review = Review(user_id=1, is_approved=is_approved)
            await save_review(session, variant=one, review=review)
        await session.commit()

    shown = part((await pages.get(f"/ads/{ad(2)}")).text, "variants")

    words = ("Completed", "Approved", "Rejected", "Review waits")
    for one, word in zip(made, words, strict=True):
        assert re.search(rf'/variants/{one.id}">[^<]*</a> <span class="total">{word},', shown)


async def test_an_ad_without_words_says_why_and_what_details_cost(
    pages: GalleryClient, database: Database
) -> None:
    page = (await pages.get(f"/ads/{ad(3)}")).text

    assert (
        "No words are known: not read yet, for its picture is not fetched yet (copy: not bought)"
        in part(page, "words")
    )
    assert "No picture yet" in part(page, "picture")
    details = part(page, "details")
    assert "1 search at most" in details
    assert "Look up its details" in details

    await add_picture(database, 3, "archive/cc/c.webp", at=ago(hours=1))
    page = (await pages.get(f"/ads/{ad(3)}")).text
    assert "No words are known: not read yet (copy: not bought)" in part(page, "words")


async def test_read_words_are_shown_with_their_confidence_and_language(
    pages: GalleryClient, database: Database
) -> None:
    await change(
        database,
        f"INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path, "
        f"thumbnail_path, stored_at) SELECT ad_creative_id, content_hash, 'stored', 'a', "
        f"'pictures/aa/{_HASH}.tiff', 'thumbnails/aa/{_HASH}.webp', now() FROM creative "
        f"WHERE ad_creative_id = '{ad(3)}'",
        "INSERT INTO picture_words (sha256, status, lines, headline, language, confidence, "
        "engine, read_at) VALUES ('a', 'read', '{Sale,today}', 'Sale', 'en', 0.87, 'x', now())",
    )

    page = (await pages.get(f"/ads/{ad(3)}")).text

    assert "Read from its picture, 87% sure, language en" in part(page, "words")
    assert 'lang="en"' in part(page, "words")
    assert "<b>Sale</b>" in part(page, "words")
    assert f'src="/media/thumbnails/aa/{_HASH}.webp"' in page  # browsers show no TIFF


@pytest.mark.parametrize(
    "address",
    [
        f"/ads/{ad(1).lower()}",
        f"/ads?address={ad(1).lower()}",
        f"/ads?address=https://adstransparency.google.com/advertiser/AR1/creative/{ad(1)}?region=US",
    ],
)
async def test_other_ways_to_write_an_ad_lead_to_it(pages: GalleryClient, address: str) -> None:
    answer = await pages.get(address)

    assert answer.status_code == 303
    assert answer.headers["location"] == PAGE


@pytest.mark.parametrize("path", ["", "/details", "/similar"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        (ad(99), "This ad is not stored."),
        ("CR1", "CR and 20 digits"),
        ("<script>alert(1)<", "CR and 20 digits"),
        ("%00", "CR and 20 digits"),
    ],
)
async def test_an_ad_that_is_not_stored_is_a_page_that_says_so(
    pages: GalleryClient, name: str, words: str, path: str
) -> None:
    answer = await pages.get(f"/ads/{name}{path}")

    assert answer.status_code == 404
    assert words in answer.text
    assert 'href="/library"' in answer.text
    assert "<script>alert" not in answer.text


async def test_an_address_that_names_no_ad_is_said_beside_its_field(pages: GalleryClient) -> None:
    answer = await pages.get("/ads?address=https://example.com/x")

    assert answer.status_code == 422
    assert "CR and 20 digits" in said(answer.text, "address")
    assert 'value="https://example.com/x"' in answer.text
    assert (await pages.get("/ads")).status_code == 200


async def test_near_duplicates_are_cards_that_say_what_they_share(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        await buy_words(
            session, 3, headline="Running shoes", snippet="Light trainers for the trail"
        )
        await session.commit()

    page = (await pages.get(f"{PAGE}/similar")).text

    assert f'data-ad="{ad(3)}"' in page
    assert "shared" in page
    assert f'data-ad="{ad(1)}"' not in page


async def test_a_title_is_given_shared_and_taken_away(
    pages: GalleryClient, database: Database
) -> None:
    version = _version((await pages.get(PAGE)).text, "title")
    page = (
        await pages.send_form(f"{PAGE}/title", PAGE, version=version, title="Trail", shared="yes")
    ).text
    assert "<h1>Trail</h1>" in page
    async with database.session() as session:
        kept = await read_marks(session, ad_creative_id=ad(1), user_id=1)
    assert (kept.title.text, kept.title.is_shared) == ("Trail", True)

    page = (
        await pages.send_form(f"{PAGE}/title", PAGE, version=_version(page, "title"), title="")
    ).text
    assert "<h1>Running shoes</h1>" in page
    assert "This ad has no title of yours now." in page


async def test_a_title_that_is_not_seen_is_refused_and_the_one_before_stays(
    pages: GalleryClient,
) -> None:
    version = _version((await pages.get(PAGE)).text, "title")
    page = (await pages.send_form(f"{PAGE}/title", PAGE, version=version, title="Trail")).text
    refused = await pages.send_form(
        f"{PAGE}/title", PAGE, version=_version(page, "title"), title="\u3164\u2800"
    )
    assert refused.status_code == 422
    assert 'id="problem-title">is empty; nothing that it holds can be seen.' in refused.text
    assert "<h1>Trail</h1>" in (await pages.get(PAGE)).text


async def test_notes_are_written_beside_those_that_others_share(
    pages: GalleryClient, database: Database
) -> None:
    await change(database, FULL[-1])
    async with database.session() as session:
        for user_id, note, is_shared in ((OTHERS, "Look at <i>", True), (3, "Secret", False)):
            await write_note(
                session, user_id=user_id, ad_creative_id=ad(1), text=note, is_shared=is_shared
            )
        await session.commit()
    version = _version((await pages.get(PAGE)).text, "note")

    page = (await pages.send_form(f"{PAGE}/note", PAGE, version=version, note="a\r\nb")).text

    assert "\na\nb</textarea>" in part(page, "note")
    assert "Look at &lt;i&gt;" in part(page, "note")
    assert "Ada" in part(page, "note")
    assert "Secret" not in page


@pytest.mark.parametrize("what", ["title", "note"])
async def test_who_saves_over_another_change_is_shown_it_first(
    pages: GalleryClient, database: Database, what: str
) -> None:
    version = _version((await pages.get(PAGE)).text, what)
    async with database.session() as session:
        write: dict[str, Any] = {"user_id": 1, "ad_creative_id": ad(1)}
        if what == "title":
            await write_title(session, text="Theirs", **write)
        else:
            await write_note(session, text="Theirs", **write)
        await session.commit()

    refused = await pages.send_form(f"{PAGE}/{what}", PAGE, version=version, **{what: "Mine"})
    assert refused.status_code == 409
    assert "meanwhile" in said(refused.text, what)
    assert "Stored now: Theirs" in part(refused.text, what)
    assert "Mine" in part(refused.text, what)

    version = _version(refused.text, what)
    again = await pages.send_form(f"{PAGE}/{what}", PAGE, version=version, **{what: "Mine"})
    assert again.status_code == 200
    assert "Theirs" not in again.text
    twice = await pages.send_form(f"{PAGE}/{what}", PAGE, version=version, **{what: " Mine"})
    assert twice.status_code == 200
    assert "meanwhile" not in twice.text


async def test_a_version_holds_until_the_text_or_who_sees_it_changes(database: Database) -> None:
    async with database.session() as session:
        await change(
            database,
            "INSERT INTO advertiser (advertiser_id, name) VALUES ('AR1', 'a')",
            "INSERT INTO creative (ad_creative_id, advertiser_id, format) "
            f"VALUES ('{ad(1)}', 'AR1', 'text')",
        )
        own: dict[str, Any] = {"ad_creative_id": ad(1), "user_id": 1}
        seen = (await read_marks(session, **own)).note.version
        await write_note(session, text="a", **own)
        assert not await lock_version(session, what="note", version=seen, **own)
        seen = (await read_marks(session, **own)).note.version
        await write_title(session, text="b", **own)
        assert await lock_version(session, what="note", version=seen, **own)
        await write_note(session, text="a", is_shared=True, **own)
        assert not await lock_version(session, what="note", version=seen, **own)


async def test_tags_are_put_on_shared_and_taken_off(
    pages: GalleryClient, database: Database
) -> None:
    await change(database, FULL[-1])
    async with database.session() as session:
        await tag_ads(session, user_id=OTHERS, tag="theirs", ids=[ad(1)])
        await share_tag(session, user_id=OTHERS, tag="theirs", is_shared=True)
        await session.commit()

    page = (await pages.send_form(f"{PAGE}/tags", PAGE, tag="Au/tumn <b>")).text
    assert "Au/tumn &lt;b&gt;" in part(page, "tags")
    assert "only you" in part(page, "tags")
    assert "shared by Ada" in part(page, "tags")
    page = (await pages.send_form(f"{PAGE}/tags", PAGE, share="Au/tumn <b>")).text
    assert "shared with all" in part(page, "tags")
    page = (await pages.send_form(f"{PAGE}/tags", PAGE, keep="Au/tumn <b>")).text
    assert "only you" in part(page, "tags")
    page = (await pages.send_form(f"{PAGE}/tags", PAGE, remove="Au/tumn <b>")).text
    assert "Au/tumn" not in part(page, "tags")
    page = (await pages.send_form(f"{PAGE}/tags", PAGE, tag="all", shared="yes")).text
    assert "shared with all" in part(page, "tags")


async def test_the_ad_is_put_on_boards_and_taken_off(pages: GalleryClient) -> None:
    page = (await pages.send_form(f"{PAGE}/boards", PAGE, new="Ideas", create="yes")).text
    assert re.search(r'href="/boards/\d+">Ideas</a>', part(page, "boards"))
    assert "<select" not in part(page, "boards")
    page = (await pages.send_form(f"{PAGE}/boards", PAGE, remove="Ideas")).text
    assert '<option value="Ideas">' in part(page, "boards")
    page = (await pages.send_form(f"{PAGE}/boards", PAGE, board="Ideas")).text
    assert re.search(r'href="/boards/\d+">Ideas</a>', part(page, "boards"))


@pytest.mark.parametrize(
    ("form", "fields", "field", "words"),
    [
        ("title", {"title": "a" * 501}, "title", "501 characters"),
        ("title", {"title": "a\nb"}, "title", "control character"),
        ("title", {"title": "a\x00"}, "title", "NUL"),
        ("note", {"note": "a" * 5001}, "note", "5001 characters"),
        ("note", {"note": "a\x00"}, "note", "NUL"),
        ("tags", {"tag": ""}, "tag", "is empty"),
        ("tags", {"tag": "x" * 101}, "tag", "101 characters"),
        ("tags", {"share": "none"}, "tag", "no tag"),
        ("boards", {"board": "none"}, "board", "no board"),
        ("boards", {"remove": "none"}, "board", "no board"),
        ("boards", {"create": "yes", "new": " "}, "new", "is empty"),
        ("boards", {"create": "yes", "new": "a\x07"}, "new", "control character"),
    ],
)
async def test_what_cannot_be_used_is_said_beside_its_field_and_kept(
    pages: GalleryClient, form: str, fields: dict[str, str], field: str, words: str
) -> None:
    version = _version((await pages.get(PAGE)).text, "title" if form == "title" else "note")

    fields = {"shared": "yes"} | fields
    answer = await pages.send_form(f"{PAGE}/{form}", PAGE, version=version, **fields)

    assert answer.status_code == 422
    assert ("checked" in part(answer.text, form)) == (form != "boards")
    assert words in said(answer.text, field)
    if typed := fields.get(field, "").strip("\x00\x07"):
        assert typed in unescape(answer.text) or field == "board"


async def test_a_board_that_is_there_already_is_not_made_twice(pages: GalleryClient) -> None:
    await pages.send_form(f"{PAGE}/boards", PAGE, new="Ideas", create="yes")

    answer = await pages.send_form(f"{PAGE}/boards", PAGE, new="Ideas", create="yes")

    assert answer.status_code == 200
    assert "Ideas" in part(answer.text, "boards")
    assert (await pages.get("/boards")).text.count(">Ideas<") == 1


@pytest.mark.parametrize("form", ["title", "note", "tags", "boards", "details"])
async def test_an_ad_that_was_removed_meanwhile_is_said_to_be(
    pages: GalleryClient, form: str
) -> None:
    fields = {"tag": "x", "title": "x", "note": "x", "new": "x", "create": "yes", "version": "x"}

    answer = await pages.send_form(f"/ads/{ad(99)}/{form}", PAGE, **fields)

    assert answer.status_code == 404
    assert "This ad is not stored" in answer.text
    assert (await pages.get("/boards")).text.count(">x<") == 0  # no board is left behind


@pytest.mark.parametrize("form", ["title", "note", "tags", "boards", "details"])
async def test_a_form_without_its_token_changes_nothing(pages: GalleryClient, form: str) -> None:
    answer = await pages.post(f"{PAGE}/{form}", data={"tag": "x", "title": "x"})

    assert answer.status_code == 403
    assert "out of date" in answer.text


@pytest.mark.usefixtures("prefect_away")
async def test_without_prefect_the_page_says_so_and_shows_all_else(pages: GalleryClient) -> None:
    shown = await pages.get(f"/ads/{ad(3)}?run=6f1d39d4-1e43-4f0c-8d4e-0f6f6d3b2a10")
    assert shown.status_code == 200
    assert "Prefect does not answer" in part(shown.text, "details")

    answer = await pages.send_form(f"/ads/{ad(3)}/details", PAGE)
    assert answer.status_code == 503
    assert "Prefect" in part(answer.text, "details")
    assert "Look up its details" in part(answer.text, "details")


async def test_details_that_are_known_are_not_looked_up_again(pages: GalleryClient) -> None:
    page = (await pages.get(PAGE)).text
    assert "1 search billed" in part(page, "details")
    assert "<form" not in part(page, "details")

    assert (await pages.send_form(f"{PAGE}/details", PAGE)).status_code == 200


async def test_what_comes_from_outside_is_text(pages: GalleryClient, database: Database) -> None:
    await change(
        database,
        f"UPDATE creative_detail SET landing_url = 'javascript:alert(1)', headline = "
        f"'<script>alert(1)</script>', snippet = E'a\\x1bb\\u202ec', funded_by = '<img src=x>' "
        f"WHERE ad_creative_id = '{ad(1)}'",
        f"UPDATE creative SET details_link = 'javascript:alert(2)', target_domain = '\"><b>' "
        f"WHERE ad_creative_id = '{ad(1)}'",
    )

    page = (await pages.get(PAGE)).text

    assert "<script>alert" not in page
    assert "<img src=x>" not in page
    assert 'href="javascript' not in page
    assert "\x1b" not in page
    assert "\u202e" not in page


async def test_who_may_only_look_is_told_so_and_changes_nothing(
    pages: GalleryClient, database_url: str, tmp_path: Path
) -> None:
    async with Database(database_url, lock_timeout=COMMAND_LOCK_TIMEOUT) as database:
        media = MediaStore(str(tmp_path / "media"))
        app = create_app(Gallery(Settings(), database, media, Templates()))

        async def let_look(scope: Scope, receive: Receive, send: Send) -> None:
            scope["state"] = {"visitor": Visitor(may_change=False, may_spend=False)}
            await app(scope, receive, send)

        transport = httpx.ASGITransport(let_look, raise_app_exceptions=False)
        async with GalleryClient(transport=transport, base_url=URL) as reader:
            page = (await reader.get(f"/ads/{ad(3)}")).text
            assert "You may look, but not change anything." in part(page, "note")
            assert "You may look, but not spend searches." in part(page, "details")
            assert '<button type="submit" disabled>Look up' in part(page, "details")
            for form in ("title", "note", "tags", "boards", "details"):
                answer = await reader.send_form(f"/ads/{ad(3)}/{form}", f"/ads/{ad(3)}", tag="x")
                assert answer.status_code == 403


def _version(page: str, what: str) -> str:
    found = re.search(r'name="version" value="([0-9a-f]+)"', part(page, what))
    assert found
    return found[1]
