"""`adspark insight`: figures of an advertiser as tables, and as one document."""

import asyncio

import pytest

from adspark.db.engine import Database
from adspark.errors import InvalidQueryError
from tests.support.commanding import Command
from tests.support.library import CAFE, ad, fill_library

insight = Command("insight")


@pytest.fixture(autouse=True)
def _library(configured_database: str) -> None:
    async def fill() -> None:
        async with Database(configured_database) as database:
            await fill_library(database)

    asyncio.run(fill())


def test_every_command_tells_people_and_programs() -> None:
    shop = "new balance"
    assert "2026-05 2 0 2" in insight.told("timeline", shop, "--by", "month", "--to", "2026-05-31")
    assert "2026-07 0 1 0" in insight.told("timeline", shop, "--by", "month", "--to", "2026-07-31")
    assert "none ran on 2026-07-31" in insight.told("library", shop, "--on", "2026-07-31")
    assert insight.given("timeline", CAFE)["periods"][0].keys() == {
        "begins", "launched", "ended", "running"
    }  # fmt: skip
    assert "format text 3" in insight.told("mix", shop)
    assert "United States 2" in insight.told("regions", shop)  # the third has no last day
    assert f"{ad(2)} text 2026-05-29 2026-07-07 40" in insight.told("longest", shop)
    assert "The first is shown; more: --limit" in insight.told("longest", shop, "--limit", "1")
    assert "The first 2 are shown; more:" in insight.told("longest", shop, "--limit", "2")
    assert insight.given("longest", shop, "--limit", "1")["ads"][0]["ad_creative_id"] == ad(2)
    assert "7 100% 14 50% 30 50%" in insight.told("survival", shop)
    assert insight.given("survival", shop)["median_days_running"] == 10
    assert "Inc. 2 100.0%" in insight.told("share", shop, "--on", "2026-06-01")
    few = insight.told("share", "--on", "2026-06-01", "--limit", "1")
    assert "The first is shown; more: --limit" in few
    assert insight.told("campaigns", shop) == (
        "0 campaigns; 2 ads compared, 1 not, for neither picture nor three words are known."
    )
    assert f"{ad(1)} text 2026-05-28" in insight.told("library", shop, "--on", "2026-05-28")
    assert "none ran on 2020-01-01" in insight.told("library", shop, "--on", "2020-01-01")
    assert insight.given("library", shop, "--on", "2020-01-01") == {
        "day": "2020-01-01", "total": 0, "ads": []
    }  # fmt: skip


def test_bad_input_is_told() -> None:
    for arguments, said in (
        (("mix", "qqqq"), "advertiser: none of 'qqqq' is stored"),
        (("library", CAFE, "--on", "9999-12-31"), "on: 9999-12-31 is to come"),
        (("timeline", CAFE, "--from", "9999-12-31"), "from: 9999-12-31 is to come"),
        (("share", "--on", "9999-12-31"), "on: 9999-12-31 is to come"),
        (
            ("timeline", CAFE, "--from", "2026-02-02", "--to", "2026-02-01"),
            "to: .* lies before from",
        ),
        (("library", CAFE, "--on", "soon"), "on: 'soon' is not a day"),
    ):
        with pytest.raises(InvalidQueryError, match=said):
            insight.told(*arguments)
