"""Digests: what they tell, what they do not, and that they tell it once."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.media.store import MediaStore
from adspark.models import EventKind
from adspark.notifications.digest import mark_digested, read_digest
from adspark.notifications.digest_text import Digest
from tests.support.digesting import LOOKED, NOW, TOLD, Story
from tests.support.factories import ADVERTISER_ID
from tests.support.picture_host import draw_ad

YESTERDAY = NOW - timedelta(hours=20)
DAY = timedelta(days=1)


@pytest.fixture
async def story(database: Database) -> Story:
    """An advertiser, and nothing yet that happened."""
    story = Story(database)
    await story.begin()
    return story


async def tell(story: Story, now: datetime = NOW) -> Digest:
    """Read a digest and note that it was told."""
    async with story.database.session() as session:
        digest = await read_digest(session, now=now)
        await mark_digested(session, digest=digest)
        await session.commit()
    return digest


def section(page: str, heading: str) -> str:
    """The part of the page under a heading."""
    _, found, rest = page.partition(f"\n## {heading}")
    assert found, page
    return rest.partition("\n## ")[0]


async def test_a_launch_is_told_with_day_advertiser_format_size_and_link(story: Story) -> None:
    watch_id = await story.watch("shoes")
    await story.ad(watch_id, 7)
    page = (await story.digest()).markdown()
    assert (
        "**Launches: 1**\n\n"
        "- New Balance, image, 380 × 199, newbalance.com, first shown 2026-07-20: "
        "[CR00000000000000000007](https://adstransparency.google.com/creative/7)\n"
    ) in section(page, f"shoes (watch {watch_id})")


async def test_a_launch_is_shown_where_its_picture_is_archived(
    story: Story, tmp_path: Path
) -> None:
    watch_id = await story.watch("shoes")
    for number in (7, 8):
        await story.ad(watch_id, number)
    thumbnail = await story.picture(7, MediaStore(str(tmp_path)), draw_ad(7))
    page = (await story.digest()).markdown()
    assert f"- ![CR00000000000000000007]({thumbnail}) New Balance, image" in page
    assert page.count("![") == 2  # it is among the longest running as well


async def test_a_launch_shows_words_that_were_bought_or_read_and_where_it_leads(
    story: Story, tmp_path: Path
) -> None:
    watch_id = await story.watch("shoes")
    for number in (7, 8):
        await story.ad(watch_id, number)
        await story.picture(number, MediaStore(str(tmp_path)), draw_ad(number))
    await story.change(
        "INSERT INTO picture_words (sha256, status, lines, headline, read_at) "
        "SELECT sha256, 'read', '{Run far,in *all* weather}', 'Run far', now() FROM picture_version"
    )
    await story.change(
        "INSERT INTO creative_detail (ad_creative_id, headline, snippet, landing_url) VALUES "
        "('CR00000000000000000008', 'Grey days', 'Up to 40 % off', 'https://shop.example/grey')"
    )
    page = (await story.digest()).markdown()
    assert "/7); **Run far** in \\*all\\* weather (read from the picture)\n" in page
    assert (
        "/8); **Grey days** Up to 40 % off; to "
        "[https://shop.example/grey](https://shop.example/grey)\n"
    ) in page


@pytest.mark.parametrize(
    ("kind", "told", "headline"),
    [
        (EventKind.NEW, "**Launches: 1**", "1 launch"),
        (EventKind.CHANGED, "**Changed: 1**", "1 change"),
        (EventKind.REACTIVATED, "**Shown again after an end: 1**", "1 reactivation"),
        (EventKind.ENDED, "**Ended: 1**", "1 ending"),
    ],
)
async def test_each_kind_of_event_has_its_list(
    story: Story, kind: EventKind, told: str, headline: str
) -> None:
    await story.ad(await story.watch(), 1, kind)
    digest = await story.digest()
    assert told in digest.markdown()
    assert digest.subject == f"AdSpark: {headline}"


async def test_an_ending_says_when_it_was_last_shown_and_how_long_in_all(story: Story) -> None:
    await story.ad(await story.watch(), 12, EventKind.ENDED, is_ended=True)
    assert "last shown 2026-07-27, shown on 12 days: [CR" in (await story.digest()).markdown()


async def test_the_baseline_is_nobodys_news(story: Story) -> None:
    await story.ad(await story.watch(), 1, EventKind.BASELINE)
    digest = await story.digest()
    assert (digest.news, digest.is_worth_sending) == (0, False)
    assert digest.subject == "AdSpark: nothing new, 1 watch looked at completely"


async def test_a_list_names_twenty_and_counts_the_rest(story: Story) -> None:
    watch_id = await story.watch()
    for number in range(1, 24):
        await story.ad(watch_id, number)
    page = (await story.digest()).markdown()
    launches = page.partition("**Launches: 23**")[2].partition("\n\n**")[0]
    assert launches.count("first shown") == 20
    assert launches.endswith("- … and 3 more")


async def test_a_hundred_thousand_events_are_counted_exactly_and_marked(story: Story) -> None:
    watch_id = await story.watch()
    await story.change(f"""
        INSERT INTO creative (ad_creative_id, advertiser_id, format)
        SELECT 'CR' || n, '{ADVERTISER_ID}', 'text' FROM generate_series(1, 100000) n;
    """)
    await story.change(f"""
        INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash)
        SELECT {watch_id}, 'CR' || n, 'new', '' FROM generate_series(1, 100000) n
    """)
    digest = await tell(story)
    assert "- … and 99980 more" in digest.markdown()
    assert len(digest.watches[0].events[EventKind.NEW].creatives) == 20
    assert await story.count("creative_event WHERE notified_at IS NULL") == 0


async def test_what_was_told_is_not_told_again(story: Story) -> None:
    watch_id = await story.watch()
    await story.ad(watch_id, 1)
    assert (await tell(story)).news == 1
    await story.ad(watch_id, 2)
    again = await tell(story)
    assert [one.ad_creative_id for one in again.watches[0].events[EventKind.NEW].creatives] == [
        f"CR{2:020d}"
    ]
    assert (await tell(story)).news == 0


async def test_only_the_events_that_were_read_are_marked(story: Story) -> None:
    watch_id = await story.watch()
    await story.ad(watch_id, 1)
    async with story.database.session() as session:
        digest = await read_digest(session, now=NOW)
        await story.ad(watch_id, 2)  # while the digest is being written
        await mark_digested(session, digest=digest)
        await session.commit()
    assert await story.count("creative_event WHERE notified_at IS NULL") == 1
    assert (await story.digest()).news == 1


async def test_a_paused_watch_is_told_of_only_where_it_has_untold_news(story: Story) -> None:
    with_news = await story.watch("paused with news", is_active=False)
    await story.watch("paused", is_active=False, coverage="none", problem="was down")
    await story.ad(with_news, 1)
    digest = await story.digest()
    assert [watch.name for watch in digest.watches] == ["paused with news"]
    assert "paused; last complete look: 2026-07-28 07:00 UTC" in digest.markdown()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        pytest.param(
            {"checked_at": None, "coverage": None, "complete_at": None, "baseline_at": None},
            "not looked at yet; last complete look: never",
            id="never looked at",
        ),
        pytest.param(
            {"coverage": "none", "problem": "SerpApi is down"},
            "could not be looked at: SerpApi is down; last complete look: 2026-07-28 07:00 UTC",
            id="failed",
        ),
        pytest.param(
            {"coverage": "partial", "problem": "too many ads"},
            "only partly looked at: too many ads; last complete look: 2026-07-28 07:00 UTC",
            id="partly",
        ),
        pytest.param(
            {"due_at": NOW - timedelta(hours=3), "monthly_budget": 0},
            "could not be looked at: its budget is 0; last complete look: 2026-07-28 07:00 UTC",
            id="without a budget",
        ),
        pytest.param(
            {"due_at": NOW - timedelta(hours=3)},
            "not looked at as it should be, every 60 minutes; "
            "last complete look: 2026-07-28 07:00 UTC",
            id="overdue, as when no worker runs",
        ),
    ],
)
async def test_what_could_not_be_looked_at_is_never_called_quiet(
    story: Story, state: dict[str, Any], told: str
) -> None:
    unseen = await story.watch("unseen", **state)
    quiet = await story.watch("quiet")
    digest = await story.digest()
    page = digest.markdown()
    assert digest.headline == "nothing new found, but 1 of 2 watches not fully looked at"
    assert digest.is_worth_sending
    assert section(page, "Could not be looked at, or not fully: 1").strip() == (
        f"- **unseen (watch {unseen})**: {told}"
    )
    assert section(page, "Nothing new, looked at completely: 1").strip() == (
        f"- **quiet (watch {quiet})**: last complete look: 2026-07-28 07:00 UTC"
    )


async def test_news_of_a_watch_that_was_partly_looked_at_say_that_there_may_be_more(
    story: Story,
) -> None:
    watch_id = await story.watch(coverage="partial", problem="too many ads.")
    await story.ad(watch_id, 1)
    digest = await story.digest()
    page = digest.markdown()
    assert digest.headline == "1 launch; 1 of 1 watch not fully looked at"
    assert "**There may be more:** only partly looked at: too many ads;" in section(
        page, f"shoes (watch {watch_id})"
    )
    assert "Nothing new, looked at completely" not in page


async def test_every_watch_stands_in_one_place_at_least(story: Story) -> None:
    await story.ad(await story.watch("has news"), 1)
    await story.watch("is quiet")
    await story.watch("is unseen", coverage="none", problem="down")
    digest = await story.digest()
    assert [watch.name for watch in digest.with_news] == ["has news"]
    assert [watch.name for watch in digest.quiet] == ["is quiet"]
    assert [watch.name for watch in digest.unseen] == ["is unseen"]


async def test_what_could_not_be_looked_at_is_told_once_a_look_and_again_the_next_day(
    story: Story,
) -> None:
    await story.watch(coverage="none", problem="down", checked_at=NOW - timedelta(minutes=5))
    assert (await tell(story)).is_worth_sending
    soon = NOW + timedelta(minutes=10)
    assert not (await story.digest(soon)).is_worth_sending
    assert len((await story.digest(soon)).unseen) == 1  # but still not called quiet
    await story.change(f"UPDATE watch SET checked_at = '{NOW + timedelta(minutes=5)}'")
    assert (await tell(story, soon)).is_worth_sending
    assert (await story.digest(soon + DAY)).is_worth_sending


async def test_a_country_is_new_once_where_no_ad_of_the_watch_had_it_before(story: Story) -> None:
    watch_id = await story.watch(digested_at=TOLD)
    await story.ad(watch_id, 1, None)
    await story.ad(watch_id, 2, None)
    await story.region(1, "2840", LOOKED)  # known from before
    await story.region(2, "2840", YESTERDAY)  # another ad, the same country
    await story.region(2, "2276", YESTERDAY)
    await story.region(1, "2276", YESTERDAY)
    digest = await tell(story)
    assert digest.headline == "1 new country"
    assert "**New countries: 1**\n\n- Germany\n" in digest.markdown()
    assert (await story.digest(NOW + DAY)).news == 0


@pytest.mark.parametrize(
    ("baseline_at", "known", "told"),
    [
        pytest.param(LOOKED, TOLD, [], id="no countries known before"),
        pytest.param(LOOKED, LOOKED, ["2276"], id="since the baseline, without a digest"),
        pytest.param(None, LOOKED, [], id="no baseline yet"),
    ],
)
async def test_countries_are_only_new_to_a_watch_that_knew_some(
    story: Story, baseline_at: datetime | None, known: datetime, told: list[str]
) -> None:
    watch_id = await story.watch(baseline_at=baseline_at)
    await story.ad(watch_id, 1, None)
    await story.region(1, "2840", known)
    await story.region(1, "2276", YESTERDAY)
    assert (await story.digest()).watches[0].new_regions == told


@pytest.mark.parametrize(
    ("matched_at", "first_shown", "told"),
    [
        pytest.param(LOOKED, TOLD.date() - DAY * 3, [], id="shown there long before the digest"),
        pytest.param(LOOKED, TOLD.date() - DAY * 2, ["2276"], id="perhaps not listed then"),
        pytest.param(LOOKED, None, ["2276"], id="nobody knows since when"),
        pytest.param(YESTERDAY, TOLD.date() - DAY * 3, ["2276"], id="of an ad that is new itself"),
    ],
)
async def test_a_country_is_not_new_because_details_of_an_old_ad_were_looked_up(
    story: Story, matched_at: datetime, first_shown: date | None, told: list[str]
) -> None:
    watch_id = await story.watch(digested_at=TOLD)
    await story.ad(watch_id, 1, None)
    await story.region(1, "2840", LOOKED)
    await story.ad(watch_id, 2, None)
    await story.change(f"UPDATE watch_creative SET first_matched_at = '{matched_at}'")
    await story.region(2, "2276", YESTERDAY, first_shown)
    assert (await story.digest()).watches[0].new_regions == told


@pytest.mark.parametrize("is_read", [False, True], ids=["before it reads", "before it is told"])
async def test_a_country_is_told_once_however_its_transaction_overlaps_a_digest(
    story: Story, *, is_read: bool
) -> None:
    watch_id = await story.watch(digested_at=LOOKED)
    for number in (1, 2):
        await story.ad(watch_id, number, None)
    await story.region(1, "2840", YESTERDAY - DAY)
    await tell(story, NOW - DAY)
    async with story.database.session() as writer, story.database.session() as reader:
        await writer.execute(text("SELECT"))  # both have begun
        if is_read:
            digest = await read_digest(reader, now=NOW)
        await writer.execute(
            text(
                "INSERT INTO creative_region (ad_creative_id, region, first_seen_at) "
                f"VALUES ('CR{2:020d}', '2276', '{NOW - timedelta(seconds=1)}')"
            )
        )
        if is_read:
            await writer.commit()
        else:
            digest = await read_digest(reader, now=NOW)
        await mark_digested(reader, digest=digest)
        await reader.commit()
        await writer.commit()
    assert digest.news == 0
    assert (await tell(story, NOW + DAY)).watches[0].new_regions == ["2276"]
    assert (await tell(story, NOW + 2 * DAY)).news == 0


async def test_a_country_of_which_others_were_told_is_news_to_a_watch_that_was_paused(
    story: Story,
) -> None:
    paused = await story.watch("paused", digested_at=TOLD)
    other = await story.watch("other", digested_at=TOLD)
    await story.ad(paused, 1, None)
    await story.change(
        "INSERT INTO watch_creative (watch_id, ad_creative_id, content_hash) "
        f"SELECT {other}, ad_creative_id, content_hash FROM creative"
    )
    await story.region(1, "2840", LOOKED)
    await story.region(1, "2276", YESTERDAY)
    await story.change(f"UPDATE watch SET is_active = false WHERE id = {paused}")
    assert [one.name for one in (await tell(story)).with_news] == ["other"]
    await story.change("UPDATE watch SET is_active = true")
    assert [one.name for one in (await tell(story, NOW + DAY)).with_news] == ["paused"]


async def test_a_digest_of_very_many_countries_ends(story: Story) -> None:
    watch_id = await story.watch(digested_at=TOLD)
    await story.change(
        "INSERT INTO creative_region (ad_creative_id, region, first_seen_at) "
        f"SELECT 'CR' || lpad(ad::text, 20, '0'), 2000 + region, '{YESTERDAY}' "
        "FROM generate_series(1, 500) AS ad, generate_series(1, 120) AS region"
    )
    await story.change(
        "INSERT INTO watch_creative (watch_id, ad_creative_id, content_hash) "
        f"SELECT {watch_id}, 'CR' || lpad(ad::text, 20, '0'), 'x' FROM generate_series(1, 500) ad"
    )
    async with story.database.session() as session:
        # The least memory, so that a thirtieth of the rows shows what all of them would.
        await session.execute(text("SET work_mem = '64kB'"))
        await session.execute(text("SET statement_timeout = '60s'"))
        digest = await read_digest(session, now=NOW)
        await mark_digested(session, digest=digest)
        await session.commit()
    assert len(digest.seen_regions) == 60_000
    assert (await story.digest(NOW + DAY)).seen_regions == []


async def test_first_countries_are_known_once_a_digest_has_gone_by(story: Story) -> None:
    watch_id = await story.watch(digested_at=LOOKED)
    await story.ad(watch_id, 1, None)
    await story.region(1, "2840", TOLD)
    assert (await tell(story)).news == 0
    await story.region(1, "2276", NOW + timedelta(hours=1))
    assert (await story.digest(NOW + DAY)).watches[0].new_regions == ["2276"]


async def test_the_five_longest_running_ads_stand_with_the_news(story: Story) -> None:
    watch_id = await story.watch()
    for number in range(1, 8):
        await story.ad(watch_id, number, None)
    await story.ad(watch_id, 99, EventKind.ENDED, is_ended=True)
    (watch,) = (await story.digest()).watches
    assert [one.days_shown for one in watch.longest] == [7, 6, 5, 4, 3]
    page = (await story.digest()).markdown()
    assert "7 days, since 2026-07-20: [CR" in page.partition("**Running the longest**")[2]


async def test_the_longest_running_ads_are_no_news(story: Story) -> None:
    await story.ad(await story.watch(), 1, None)
    assert "Running the longest" not in (await story.digest()).markdown()


async def test_news_of_one_watch_are_not_told_as_another_watchs(story: Story) -> None:
    first, second = await story.watch("first"), await story.watch("second")
    await story.ad(first, 1)
    await story.ad(second, 2)
    page = (await story.digest()).markdown()
    assert f"CR{1:020d}" in section(page, f"first (watch {first})")
    assert f"CR{2:020d}" not in section(page, f"first (watch {first})")


async def test_names_from_outside_are_no_markup(database: Database) -> None:
    story = Story(database)
    await story.begin("A|B *c* _d_ [e](http://evil) <script>`f`\n# g")
    watch_id = await story.watch("w*tch\n## heading", coverage="partial", problem="<b>bad</b>")
    link = "https://example.com/a b)[x](http://evil)<i>"
    await story.ad(watch_id, 1, target_domain="a_b_|<c>", details_link=link)
    await story.ad(watch_id, 2, details_link="javascript:alert(1)")
    page = (await story.digest()).markdown()
    assert r"A\|B \*c\* \_d\_ \[e\]\(http://evil\) &lt;script&gt;\`f\` \# g" in page
    assert r"a\_b\_\|&lt;c&gt;" in page
    assert r"w\*tch \#\# heading" in page
    assert r"&lt;b&gt;bad&lt;/b&gt;" in page
    assert "](https://example.com/a%20b%29%5Bx%5D%28http://evil%29%3Ci%3E)" in page
    assert "javascript" not in page


async def test_without_watches_the_digest_says_so(story: Story) -> None:
    digest = await story.digest()
    assert (digest.subject, digest.is_worth_sending) == ("AdSpark: no active watches", False)


async def test_more_watches_than_a_page_holds_are_counted(story: Story) -> None:
    await story.change(f"""
        INSERT INTO watch (user_id, name, advertiser_ids, political_ads, is_active)
        SELECT 1, n, ARRAY['{ADVERTISER_ID}'], false, true FROM generate_series(1, 105) n
    """)
    unseen = section((await story.digest()).markdown(), "Could not be looked at, or not fully: 105")
    assert unseen.count("not looked at yet") == 100
    assert unseen.endswith("- … and 5 more")


async def test_digests_are_read_one_after_the_other(story: Story) -> None:
    async with story.database.session() as session, story.database.session() as other:
        await read_digest(session, now=NOW)
        await other.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(Exception, match="lock timeout"):
            await read_digest(other, now=NOW)
        await other.rollback()
