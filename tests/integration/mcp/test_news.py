"""What is new, asked of many watches and since moments of other time zones."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import text

from adspark.db.engine import Database
from tests.support.assistant import ask, ask_in_vain, open_assistant, serving
from tests.support.library import ad
from tests.support.noticed import add_watch

# More watches than are asked at once; each has noticed an ad.
_WATCHES = text("""
    WITH made AS (
        INSERT INTO watch (user_id, name, advertiser_ids, due_at, baseline_at, complete_at,
            checked_at, coverage, political_ads, is_active, max_pages, interval_minutes, has_gaps)
        SELECT 1, 'w' || lpad(n::text, 5, '0'), ARRAY['AR00000000000000000001'],
            now() + interval '1 hour', now() - interval '30 days', now(), now(), 'complete', false,
            true, 5, 60, false
        FROM generate_series(1, 1001) n
        RETURNING id
    )
    INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash)
    SELECT id, :ad, 'new', 'h' FROM made
""")


async def test_one_watch_of_very_many_is_asked_by_its_name(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    async with database.session() as session:
        await session.execute(_WATCHES, {"ad": ad(1)})
        await session.commit()

    async with open_assistant(serving(database_url, tmp_path)) as client:
        last = await ask(client, "list_news", watch="w01001", since="week")
        every = await ask(client, "list_news", since="week")

    assert len(last["found"]["page"]["news"]) == 1
    assert last["coverage"]["is_complete"] is True, last["coverage"]
    assert "Only 1,000 of 1,001 watches were asked" in every["coverage"]["not_looked_at"][-1]


async def test_a_time_of_another_zone_is_told_in_utc(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await add_watch(database)
    since = datetime.now(UTC) - timedelta(minutes=1)
    told = f"was not looked at since {since:%Y-%m-%d %H:%M} UTC"
    asked = since.astimezone(ZoneInfo("Asia/Tokyo")).isoformat(timespec="minutes")

    async with open_assistant(serving(database_url, tmp_path)) as client:
        answer = await ask(client, "list_news", since=asked)
        refused = await ask_in_vain(client, "list_news", since="0001-01-01T00:00+14:00")

    assert told in answer["coverage"]["not_looked_at"][0]
    assert "since: '0001-01-01T00:00+14:00' is no time; write day, week, month" in refused
