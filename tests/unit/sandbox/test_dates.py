"""The sandbox's ads are of today: old enough for nobody to clean up, and in their own order."""

from datetime import UTC, datetime, timedelta

import pytest

from adspark.sandbox.library.catalogue import Catalogue, Row
from adspark.sandbox.library.dates import MovingCatalogue, move_information
from adspark.sandbox.library.generated import GeneratedCatalogue
from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.sandbox.serpapi.query import Query

NEW_BALANCE = Query(("AR04323445746671026177",))
INVENTED = Query(("AR90000000000000000001",))
DAY = 86_400
NIGHT = datetime(2026, 11, 26, 1, tzinfo=UTC)


def rows_at(now: datetime | None) -> list[Row]:
    by_id = {str(row["ad_creative_id"]): row for row in RecordedCatalogue(now)._by_number.values()}
    return [by_id[one] for one in sorted(by_id)]


def invented_at(now: datetime) -> list[Row]:
    return list(GeneratedCatalogue(advertisers=1, now=now).select(INVENTED).rows(0))


@pytest.mark.parametrize("days", [0, 1, 40, 89, 106, 400, 4000])
def test_whenever_it_is_asked_its_ads_were_shown_lately_and_never_in_the_future(days: int) -> None:
    now = datetime(2026, 8, 13, 1, tzinfo=UTC) + timedelta(days=days)
    moved = [int(row["last_shown"]) for row in rows_at(now) if "last_shown" in row]
    if days >= 40:  # before that some of them had not been recorded yet
        assert max(moved) <= now.timestamp()
    fresh = [shown for shown in moved if shown > now.timestamp() - 60 * DAY]
    assert len(fresh) > 0.9 * len(moved)
    newest = [int(row["last_shown"]) for row in invented_at(now)]
    assert now.timestamp() - DAY <= max(newest) <= now.timestamp()


def test_only_whole_days_are_added_and_nothing_else_is_changed() -> None:
    for before, after in zip(rows_at(None), rows_at(NIGHT), strict=True):
        days = {
            int(after[n]) - int(before[n]) for n in ("first_shown", "last_shown") if n in before
        }
        assert len(days) <= 1
        assert all(seconds % DAY == 0 and seconds > 60 * DAY for seconds in days)
        assert {**after, "first_shown": 0, "last_shown": 0} == {
            **before,
            "first_shown": 0,
            "last_shown": 0,
        }


def test_a_running_sandbox_goes_along_with_the_days() -> None:
    made: list[datetime] = []

    def make(now: datetime) -> Catalogue:
        made.append(now)
        return RecordedCatalogue(now)

    moving = MovingCatalogue(make)
    assert moving.at(NIGHT) is moving.at(NIGHT + timedelta(hours=1))
    later = moving.at(NIGHT + timedelta(days=2))
    assert len(made) == 2
    (first, *_), (again, *_) = (
        one.select(NEW_BALANCE).rows(0) for one in (RecordedCatalogue(NIGHT), later)
    )
    assert int(again["last_shown"]) - int(first["last_shown"]) == 2 * DAY


def test_recorded_details_move_too_in_both_ways_of_writing_days() -> None:
    told = {
        "format": "text",
        "last_shown": 1_786_571_801,
        "regions": [
            {"region": 2840, "first_shown": 20260730, "last_shown": 20260812},
            {"region": 1},
        ],
    }
    assert move_information(told, datetime(2026, 8, 14, 23, tzinfo=UTC)) == {
        "format": "text",
        "last_shown": 1_786_571_801 + 2 * DAY,
        "regions": [
            {"region": 2840, "first_shown": 20260801, "last_shown": 20260814},
            {"region": 1},
        ],
    }
