"""What watches noticed between two times, page by page, and how completely they looked."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from adspark.library.news.events import read_watch_events
from adspark.library.news.overview import read_news_overview
from adspark.media.store import MediaStore
from adspark.models import Coverage, EventKind, Fetch
from tests.support.digesting import NOW, Story
from tests.support.library import ad
from tests.support.picture_host import draw_ad

DAY = timedelta(days=1)
SINCE = NOW - 7 * DAY


@pytest.fixture
async def story(database: Database) -> Story:
    """An advertiser, and nothing yet that happened."""
    story = Story(database)
    await story.begin()
    return story


async def at(story: Story, number: int, kind: EventKind, when: datetime) -> None:
    """An event of an ad happened then."""
    await story.change(
        f"UPDATE creative_event SET occurred_at = '{when.isoformat()}' "
        f"WHERE ad_creative_id = '{ad(number)}' AND kind = '{kind}'"
    )


async def look(story: Story, watch: int, when: datetime, **columns: Any) -> None:  # noqa: ANN401
    """A fetch of a watch that began then."""
    values: dict[str, Any] = {
        "status": "completed",
        "stop_reason": "watermark",
        "unchanged_count": 5,
    } | columns
    fetch = Fetch(
        query={}, query_hash="h", watch_id=watch, started_at=when, searches_billed=2, **values
    )
    async with story.database.session() as session:
        session.add(fetch)
        await session.commit()


async def test_events_are_counted_by_kind_and_the_latest_are_named(story: Story) -> None:
    shoes, empty = await story.watch("shoes"), await story.watch("Empty")
    for number, days in ((1, 1), (2, 2), (3, 3), (4, 30)):
        await story.ad(shoes, number, EventKind.NEW)
        await at(story, number, EventKind.NEW, NOW - days * DAY)
    await story.ad(shoes, 5, EventKind.BASELINE)
    await story.event(shoes, 1, EventKind.ENDED)
    await at(story, 1, EventKind.ENDED, SINCE)
    await story.change(f"DELETE FROM creative WHERE ad_creative_id = '{ad(2)}'")
    async with story.database.session() as session:
        found = await read_news_overview(session, since=SINCE, until=NOW, named=2)
        (alone,) = await read_news_overview(session, since=SINCE, until=NOW, watch_ids=[empty])
        (before,) = await read_news_overview(
            session, since=SINCE - DAY, until=SINCE, watch_ids=[shoes]
        )
    assert [one.name for one in found] == ["Empty", "shoes"]
    assert (alone.counts, alone.events, alone.looks.coverage) == ({}, {}, Coverage.NONE)
    assert before.counts == {}
    news = found[1]
    assert news.counts == {EventKind.NEW: 3, EventKind.ENDED: 1}
    new = news.events[EventKind.NEW]
    assert [(one.ad_creative_id, one.is_removed) for one in new] == [(ad(1), False), (ad(2), True)]
    assert (new[0].advertiser, new[0].format, new[1].format) == ("New Balance", "image", None)


async def test_pages_list_every_event_once_also_of_one_moment(story: Story) -> None:
    watch = await story.watch()
    for number in range(1, 8):
        await story.ad(watch, number, EventKind.NEW)
        await at(story, number, EventKind.NEW, NOW - (number // 3) * DAY)
    seen, after = [], None
    async with story.database.session() as session:
        while True:
            page = await read_watch_events(
                session, watch_id=watch, since=SINCE, until=NOW + DAY, limit=2, after=after
            )
            seen += [one.event_id for one in page.events]
            if (after := page.next) is None:
                break
        changed = await read_watch_events(
            session, watch_id=watch, since=SINCE, until=NOW + DAY, kind=EventKind.CHANGED
        )
        for damaged in ("x", "", "W10", "W251bGwsMV0", "9" * 500, "WzFlOTksIDFd"):
            with pytest.raises(InvalidQueryError, match="is not where a page ended"):
                await read_watch_events(
                    session, watch_id=watch, since=SINCE, until=NOW, after=damaged
                )
    assert len(seen) == len(set(seen)) == 7
    assert changed.events == []


async def test_a_change_shows_its_picture_before_and_after(story: Story, tmp_path: Path) -> None:
    watch = await story.watch()
    await story.ad(watch, 1, EventKind.CHANGED)
    after = await story.picture(1, MediaStore(str(tmp_path)), draw_ad(1))
    await story.change(
        "INSERT INTO picture_version (ad_creative_id, content_hash, status, path, thumbnail_path, "
        f"first_seen_at) VALUES ('{ad(1)}', 'earlier', 'stored', 'p', 'before.webp', "
        "now() - interval '1 day')"
    )
    await story.change("UPDATE creative_event e SET content_hash = c.content_hash FROM creative c")
    async with story.database.session() as session:
        page = await read_watch_events(session, watch_id=watch, since=SINCE, until=NOW + 5000 * DAY)
    (event,) = page.events
    assert (event.thumbnail_before, event.thumbnail) == ("before.webp", after)


@pytest.mark.parametrize(
    ("looks", "coverage", "counts"),
    [
        ([{}], Coverage.COMPLETE, (1, 0, 0)),
        ([{}, {"stop_reason": "page_limit"}], Coverage.PARTIAL, (1, 1, 0)),
        ([{"unchanged_count": 0, "stop_reason": "end"}], Coverage.PARTIAL, (0, 1, 0)),
        ([{"status": "failed", "stop_reason": "error"}], Coverage.NONE, (0, 0, 1)),
        ([{"is_dry_run": True}], Coverage.NONE, (0, 0, 0)),
        ([], Coverage.NONE, (0, 0, 0)),
    ],
)
async def test_how_completely_it_was_looked_is_told(
    story: Story, looks: list[dict[str, Any]], coverage: Coverage, counts: tuple[int, int, int]
) -> None:
    watch = await story.watch()
    for columns in looks:
        await look(story, watch, NOW - DAY, **columns)
    await look(story, watch, SINCE - DAY)
    async with story.database.session() as session:
        (news,) = await read_news_overview(session, since=SINCE, until=NOW)
    looked = news.looks
    assert (looked.complete, looked.partial, looked.failed) == counts
    assert looked.coverage is coverage
    assert (looked.last_at is None) == (sum(counts) == 0)
    assert looked.searches_billed == 2 * sum(counts)
