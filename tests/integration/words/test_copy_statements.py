"""Search, report, export, digest and the library of a day say the same of an ad's copy."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from adspark.db.engine import Database
from adspark.insight.snapshot import read_library_on
from adspark.library.ads.report import read_ad
from adspark.library.search.page import search_ads
from adspark.models import EventKind
from adspark.notifications.digest import read_digest
from adspark.words.ad_words import read_ad_words
from tests.support.digesting import NOW, Story
from tests.support.exporting import export
from tests.support.factories import ADVERTISER_ID
from tests.support.library import ad


class Copy(NamedTuple):
    """What is said of an ad: headline, body, and where they are from."""

    headline: str | None
    snippet: str | None
    source: str | None


ADS = {
    1: Copy("Bought", "Bought body", "bought"),
    2: Copy("Read", "Read all of it", "read"),
    3: Copy("Bought", None, "bought"),  # though a body was read
    4: Copy(None, None, None),
    5: Copy("Before", "Before the change", "read"),  # the new picture is not read yet
    6: Copy(None, None, "bought"),  # a call to action alone, though words were read
    7: Copy(None, None, None),  # read, and there are none
    8: Copy("After", "After the change", "read"),
    9: Copy(None, "Body alone", "bought"),
    10: Copy("Read", "Read where details hold none", "read"),
}
BOUGHT = {1: ("Bought", "Bought body", None), 3: ("Bought", None, None), 6: (None, None, "Buy"),
          9: (None, "Body alone", "Buy"), 10: (None, None, None)}  # fmt: skip
# Of each version, in their order: its headline and lines, or None where it was not read.
VERSIONS: dict[int, list[tuple[str | None, str] | None]] = {
    2: [("Read", "{Read,all of it}")],
    3: [("Other", "{Other}")],
    4: [None],
    5: [("Before", "{Before,the change}"), None],
    6: [("Other", "{Other}")],
    7: [(None, "{}")],
    8: [("Before", "{Before}"), ("After", "{After,the change}")],
    10: [("Read", "{Read,where details hold none}")],
}


@pytest.fixture
async def story(database: Database) -> Story:
    """Ten ads whose copy is known in all ways, each of them news of a watch."""
    story = Story(database)
    await story.begin()
    watch = await story.watch()
    for number in ADS:
        await story.ad(watch, number)
    for number, (headline, snippet, call) in BOUGHT.items():
        values = ", ".join(
            "NULL" if one is None else f"'{one}'" for one in (headline, snippet, call)
        )
        await story.change(
            "INSERT INTO creative_detail (ad_creative_id, answered_at, headline, snippet, "
            f"call_to_action) VALUES ('{ad(number)}', now(), {values})"
        )
    for number, versions in VERSIONS.items():
        for place, words in enumerate(versions):
            await _keep(story, number, place, words, is_current=place == len(versions) - 1)
    return story


async def _keep(
    story: Story, number: int, place: int, words: tuple[str | None, str] | None, *, is_current: bool
) -> None:
    sha256 = f"{number}-{place}"
    content = "content_hash" if is_current else f"'{place}'"
    await story.change(
        "INSERT INTO picture_version (ad_creative_id, content_hash, status, sha256, path, "
        "thumbnail_path, first_seen_at, stored_at) "
        f"SELECT ad_creative_id, {content}, 'stored', '{sha256}', 'p', 't', "
        f"now() - interval '{9 - place} days', now() FROM creative "
        f"WHERE ad_creative_id = '{ad(number)}'"
    )
    if words is None:
        await story.change(
            f"INSERT INTO picture_words (sha256, status) VALUES ('{sha256}', 'pending')"
        )
        return
    headline = "NULL" if words[0] is None else f"'{words[0]}'"
    await story.change(
        "INSERT INTO picture_words (sha256, status, lines, headline, read_at) "
        f"VALUES ('{sha256}', 'read', '{words[1]}', {headline}, now())"
    )


async def test_all_say_the_same_of_the_same_ads(
    story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with story.database.session() as session:
        page = await search_ads(session)
        reports = [await read_ad(session, ad_creative_id=ad(one), user_id=1) for one in ADS]
        digest = await read_digest(session, now=NOW)
        day = await read_library_on(
            session, advertiser_id=ADVERTISER_ID, day=NOW.date().replace(day=25), limit=20
        )
        readings = {one: await read_ad_words(session, ad_creative_id=ad(one)) for one in ADS}
    await export(story.database, "a.jsonl")
    found = {one.ad_creative_id: one for one in page.ads}
    reported = {one.ad_creative_id: one for one in reports}
    rows = map(json.loads, Path("a.jsonl").read_text().splitlines())
    exported = {one["ad_creative_id"]: one for one in rows}
    told = {
        one.ad_creative_id: one.content for one in digest.watches[0].events[EventKind.NEW].creatives
    }
    shown = {one.ad_creative_id: one.headline for one in day.ads}
    assert set(found) == set(reported) == set(exported) == set(told) == set(shown)
    for number, copy in ADS.items():
        one = ad(number)
        assert Copy(found[one].headline, found[one].snippet, found[one].words_source) == copy
        said = reported[one]
        assert Copy(said.headline, said.snippet, said.words_source) == copy
        row = exported[one]
        assert Copy(row["headline"], row["snippet"], row["words_source"]) == copy
        assert (told[one].headline, told[one].words) == copy[:2]
        assert told[one].is_read == (copy.source == "read")
        assert shown[one] == copy.headline
        reading = readings[number]
        if copy.source == "read":
            assert reading is not None
            assert (reading.headline, " ".join(reading.lines)) == copy[:2]
