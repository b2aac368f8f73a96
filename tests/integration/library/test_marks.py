"""Tags, titles and notes are a user's own; an ad with one stays at clean-up."""

import asyncio
from pathlib import Path

import pytest

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.library.ads.report import read_ad
from adspark.library.filters.written import WrittenFilters
from adspark.library.marks.notes import write_note, write_title
from adspark.library.marks.tags import list_tags, share_tag, tag_ads, untag_ads
from adspark.maintenance.cleanup import Retention, clean_up
from adspark.media.store import MediaStore
from adspark.users.store import add_user
from tests.support.library import ad, found
from tests.support.stored_ads import ids, stock


async def test_an_ad_with_a_tag_a_title_or_a_note_stays_at_clean_up(
    database: Database, tmp_path: Path
) -> None:
    await stock(database, ads=4)
    media = MediaStore(str(tmp_path / "media"))
    async with database.session() as session:
        await tag_ads(session, user_id=1, tag="t", ids=[ad(1)])
        await write_note(session, user_id=1, ad_creative_id=ad(2), text="n")
        await write_title(session, user_id=2, ad_creative_id=ad(3), text="t")
        await session.commit()
    assert (await clean_up(database, media, Retention())).creatives == 1
    async with database.session() as session:
        assert await untag_ads(session, user_id=1, tag="t", ids=[ad(1), ad(2)]) == [ad(1)]
        await write_note(session, user_id=1, ad_creative_id=ad(2), text=" ")
        await session.commit()
    assert (await clean_up(database, media, Retention())).creatives == 2
    assert await ids(database, "SELECT ad_creative_id FROM creative") == [ad(3)]
    assert await ids(database, "SELECT ad_creative_id FROM search_document") == []


async def test_marks_are_their_users_own(database: Database) -> None:
    await stock(database, ads=1)
    async with database.session() as session:
        for user, title in ((1, " Summer "), (2, "Été")):
            await write_title(session, user_id=user, ad_creative_id=ad(1), text=title)
            await tag_ads(session, user_id=user, tag=title, ids=[ad(1)])
        await write_note(session, user_id=1, ad_creative_id=ad(1), text="one\ntwo")
        await session.commit()
        first, second = [
            await read_ad(session, ad_creative_id=ad(1), user_id=user) for user in (1, 2)
        ]
        assert [row.tag for row in await list_tags(session, user_id=2)] == ["Été"]
    assert (first.title, first.note, first.tags) == ("Summer", "one\ntwo", ["Summer"])
    assert (second.title, second.note, second.tags) == ("Été", None, ["Été"])


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("\u3164\u2800", "title: is empty"),
        ("\u200b", "title: is empty"),
        ("Sa\u202ele", "title: holds invisible characters"),
    ],
)
async def test_a_title_that_is_not_seen_takes_none_away(
    database: Database, title: str, message: str
) -> None:
    await stock(database, ads=1)
    async with database.session() as session:
        await write_title(session, user_id=1, ad_creative_id=ad(1), text="Kept")
        with pytest.raises(InvalidQueryError, match=message):
            await write_title(session, user_id=1, ad_creative_id=ad(1), text=title)
        assert (await read_ad(session, ad_creative_id=ad(1), user_id=1)).title == "Kept"
        await write_title(session, user_id=1, ad_creative_id=ad(1), text=" ")
        assert (await read_ad(session, ad_creative_id=ad(1), user_id=1)).title is None


async def test_a_note_that_is_not_seen_is_none(database: Database) -> None:
    await stock(database, ads=1)
    async with database.session() as session:
        await write_note(session, user_id=1, ad_creative_id=ad(1), text="Kept")
        with pytest.raises(InvalidQueryError, match="note: holds a character that turns"):
            await write_note(session, user_id=1, ad_creative_id=ad(1), text="a\n\u202eb")
        await write_note(session, user_id=1, ad_creative_id=ad(1), text="\u3164\u2800")
        assert (await read_ad(session, ad_creative_id=ad(1), user_id=1)).note is None


async def test_what_is_shared_is_seen_by_all_and_found_by_all(library: Database) -> None:
    async with library.session() as session:
        await add_user(session, name="Ana", user_id=2)
        for tag in ("best", "draft"):
            await tag_ads(session, user_id=2, tag=tag, ids=[ad(1), ad(4)])
        await share_tag(session, user_id=2, tag="best", is_shared=True)
        await tag_ads(session, user_id=1, tag="best", ids=[ad(4), ad(5)])
        for user, note in ((2, "look"), (3, "own only")):
            await write_note(
                session, user_id=user, ad_creative_id=ad(1), text=note, is_shared=user == 2
            )
            await write_title(
                session, user_id=user, ad_creative_id=ad(1), text=f"of {user}", is_shared=True
            )
        await write_title(session, user_id=3, ad_creative_id=ad(1), text="of 3")
        await session.commit()
        tags = [
            (row.user, row.tag, row.ads, row.is_own) for row in await list_tags(session, user_id=1)
        ]
        seen = {user: await read_ad(session, ad_creative_id=ad(1), user_id=user) for user in (1, 3)}
    assert tags == [(None, "best", 2, True), ("Ana", "best", 2, False)]
    assert (seen[1].title, seen[1].tags, seen[1].note) == ("of 2", ["best"], None)
    assert [(one.user, one.note) for one in seen[1].shared_notes] == [("Ana", "look")]
    assert (seen[3].title, seen[3].note) == ("of 3", "own only")
    for user, tag, numbers in ((1, "best", {1, 4, 5}), (2, "best", {1, 4}), (3, "best", {1, 4}),
                               (1, "draft", set()), (2, "draft", {1, 4})):  # fmt: skip
        assert (user, tag, await found(library, user_id=user, tag=tag)) == (user, tag, numbers)
        assert (user, tag, await found(library, tag, user_id=user)) == (user, tag, numbers)
    async with library.session() as session:
        await untag_ads(session, user_id=2, tag="best", ids=[ad(1), ad(4)])
        await tag_ads(session, user_id=2, tag="best", ids=[ad(1)])  # is not shared any more
        await share_tag(session, user_id=2, tag="draft", is_shared=True)
        await share_tag(session, user_id=2, tag="draft", is_shared=False)
        await write_note(session, user_id=2, ad_creative_id=ad(1), text="")
        await write_note(session, user_id=2, ad_creative_id=ad(1), text="anew")  # is not shared
        await session.commit()
        later = await read_ad(session, ad_creative_id=ad(1), user_id=1)
    assert (later.tags, later.shared_notes, later.title) == ([], [], "of 2")
    assert await found(library, "best", user_id=1) == {4, 5}


async def test_a_mistake_writes_nothing(database: Database) -> None:
    await stock(database, ads=1)
    async with database.session() as session:
        for tag, ads in (("", [ad(1)]), ("a\nb", [ad(1)]), ("t" * 101, [ad(1)]), ("t", [ad(2)]),
                         ("t", [ad(1), "CR\x00"])):  # fmt: skip
            with pytest.raises(InvalidQueryError):
                await tag_ads(session, user_id=1, tag=tag, ids=ads)
        with pytest.raises(InvalidQueryError):
            await write_title(session, user_id=1, ad_creative_id=ad(1), text="two\nlines")
        assert await list_tags(session, user_id=1) == []


async def test_what_is_not_seen_around_a_tag_goes_and_within_one_is_refused(
    library: Database,
) -> None:
    async with library.session() as session:
        await tag_ads(session, user_id=1, tag="\u200bsale\u00ad ", ids=[ad(1)])
        with pytest.raises(InvalidQueryError, match="tag: holds invisible characters"):
            await tag_ads(session, user_id=1, tag="sa\u200ble", ids=[ad(1)])
        assert "sale" in [one.tag for one in await list_tags(session, user_id=1)]


async def test_tags_that_differ_in_case_only_are_one_tag(library: Database) -> None:
    async with library.session() as session:
        await tag_ads(session, user_id=1, tag="Été Sale", ids=[ad(1)])
        assert await tag_ads(session, user_id=1, tag="ÉTÉ sale", ids=[ad(1), ad(2)]) == [ad(2)]
        await tag_ads(session, user_id=2, tag="été SALE", ids=[ad(1), ad(3)])
        await share_tag(session, user_id=2, tag="ÉTÉ SALE", is_shared=True)
        await session.commit()
        tags = [(one.tag, one.ads, one.is_own) for one in await list_tags(session, user_id=1)]
        seen = await read_ad(session, ad_creative_id=ad(1), user_id=1)
        others = await read_ad(session, ad_creative_id=ad(3), user_id=1)
    assert tags == [("Été Sale", 2, True), ("été SALE", 2, False)]
    assert (seen.tags, others.tags) == (["Été Sale"], ["été SALE"])
    assert await found(library, tag="éTÉ sALE") == {1, 2, 3}
    async with library.session() as session:
        with pytest.raises(InvalidQueryError):
            await WrittenFilters(tag="été").resolve(session)
        await WrittenFilters(tag="éTÉ SALE").resolve(session)
        assert await untag_ads(session, user_id=1, tag="ÉTÉ SALE", ids=[ad(1), ad(2)])
        await tag_ads(session, user_id=1, tag="été sale", ids=[ad(1)])  # as it is written now
        await session.commit()
        assert [one.tag for one in await list_tags(session, user_id=1) if one.is_own] == [
            "été sale"
        ]


async def test_two_who_write_a_tag_at_once_in_two_ways_write_one(library: Database) -> None:
    async def tag(name: str, number: int) -> None:
        async with library.session() as session:
            await tag_ads(session, user_id=1, tag=name, ids=[ad(number)])
            await asyncio.sleep(0)
            await session.commit()

    for _ in range(5):
        await asyncio.gather(tag("Sale", 1), tag("SALE", 2), tag("sale", 3))
        async with library.session() as session:
            (row,) = await list_tags(session, user_id=1)
            assert row.ads == 3
            await untag_ads(session, user_id=1, tag="sAlE", ids=[ad(1), ad(2), ad(3)])
            await session.commit()
            assert await list_tags(session, user_id=1) == []
