"""Tables on a terminal of 80 columns: each row reads, and nothing that matters is cut off."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from adspark.library.search.page import AdPage, FoundAd
from adspark.models import Coverage, EventKind, Fetch, FetchStatus, StopReason
from adspark.text.terminal import SafeConsole
from adspark.watches.definition import parse_watch
from adspark.watches.news import News
from adspark.watches.stored import WatchRow, WatchState
from deployments.cli.ads.tables import print_page
from deployments.cli.operating.status import _cells as pool_cells
from deployments.cli.runs.failures import _cells as failure_cells
from deployments.cli.watches.tables import print_watch, print_watches
from deployments.operations.runs.failures import FailureGroup
from deployments.terminal import output, tables
from deployments.terminal.tables import table
from orchestration.server.pool_snapshot import PoolSnapshot

NOW = datetime.now(UTC)
LOOKS_FOR = "New Balance Athletic Shoe, Inc., example.com, United States"
CAUSE = "UnknownWatchError: There is no watch 4711; list them with: adspark watch list"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> SafeConsole:
    """A terminal of 80 columns."""
    console = SafeConsole(highlight=False, width=80, record=True, force_terminal=False)
    monkeypatch.setattr(output, "out", console)
    monkeypatch.setattr(tables, "out", console)
    for module in ("watches", "ads"):
        monkeypatch.setattr(f"deployments.cli.{module}.tables.out", console)
    return console


def lines_of(console: SafeConsole) -> list[str]:
    """What it shows."""
    return [line.rstrip() for line in console.export_text().splitlines() if line.strip()]


def watch(number: int, name: str, **changes: Any) -> WatchRow:  # noqa: ANN401
    """A watch with figures as long as they become."""
    words: dict[str, Any] = {
        "name": name, "text": "a-rather-long-domain.example.com", "region": "US",
        "advertiser_ids": ["AR04323445746671026177"], "monthly_budget": 12_000,
    } | changes  # fmt: skip
    return WatchRow(
        id=number,
        definition=parse_watch(**words)[0],
        advertisers=["New Balance Athletic Shoe, Inc."],
        state=WatchState.ACTIVE,
        due_at=NOW,
        next_look=NOW,
        checked_at=datetime.now(UTC) - timedelta(minutes=119),
        coverage="complete",
        problem=None,
        baseline_at=NOW,
        complete_at=NOW,
        has_gaps=False,
        creatives=12_345,
        recent_events=1_234,
        searches_this_month=11_999,
    )


@pytest.mark.parametrize("user", [1, 1234])
def test_the_list_of_watches_shows_what_each_looks_for_below_it(
    terminal: SafeConsole, user: int
) -> None:
    names = ["shoes", "A long name of a watch, longer than a column"]
    print_watches([watch(1, names[0]), watch(1234, names[1], user_id=user)], None)
    lines = lines_of(terminal)
    assert max(map(len, lines)) <= 80
    assert len(lines) == 9  # title, headings, a rule, and for each what it looks for below
    for shown in ("id", "name", "state", "last look", "ads", "news", "searches"):
        assert shown in lines[1]
    assert lines[4].lstrip() == lines[8].lstrip() == LOOKS_FOR
    assert [line.strip() for line in lines[6:8]] == ["watch, longer than", "a column"]
    for shown in ("complete", "119 min", "12345", "1234", "11999/12000"):
        assert shown in lines[3]


def test_the_words_of_an_ad_stand_below_it(terminal: SafeConsole) -> None:
    ad = FoundAd(
        ad_creative_id=f"CR{1:020d}", advertiser_id="AR1", format="image", size=None, domain=None,
        advertiser="New Balance Athletic Shoe, Inc.", first_shown=NOW, last_shown=NOW,
        days_shown=1234, headline="Run [bold]far", snippet="further " * 20, words_source="bought",
        title=None, tags=[], picture=None, thumbnail=None, width=None, height=None,
        landing_url=None, is_running=True,
    )  # fmt: skip
    page = AdPage(ads=[ad, ad], total=2, is_total_exact=True, formats={"image": 2}, next=None)
    print_page(page)
    lines = lines_of(terminal)
    assert max(map(len, lines)) <= 80
    assert "1234" in lines[3]
    assert lines[4] == lines[6] != lines[5]
    assert lines[4].startswith("  Run [bold]far – further further further further further further")
    assert lines[4].endswith("…")


def test_the_latest_news_of_a_watch_fit(terminal: SafeConsole) -> None:
    event = News(
        event_id=1, kind=EventKind.REACTIVATED,
        occurred_at=datetime.now(UTC) - timedelta(minutes=119),
        watch_id=1, watch="shoes", user_id=1, ad_creative_id=f"CR{1:020d}", advertiser_id="AR1",
        advertiser="New Balance Athletic Shoe, Inc.", format="image", target_domain=None,
        image_url=None, video_link=None, details_link=None, first_shown=NOW, last_shown=NOW,
        total_days_shown=3,
    )  # fmt: skip
    print_watch(watch(1, "shoes"), [event], [])
    lines = lines_of(terminal)
    events = lines[lines.index("Latest news") :]
    assert max(map(len, events)) <= 80
    assert f"CR{1:020d}" in "".join(events)
    assert "returned" in "".join(events)


def test_a_look_that_saw_only_a_part_is_not_listed_as_a_complete_one(
    terminal: SafeConsole,
) -> None:
    looks = [
        Fetch(
            query={},
            query_hash="x",
            status=FetchStatus.COMPLETED,
            stop_reason=StopReason.END,
            started_at=NOW - timedelta(days=days),
        )
        for days in range(2)
    ]
    row = watch(1, "shoes").model_copy(update={"coverage": Coverage.PARTIAL})
    print_watch(row, [], looks)
    lines = lines_of(terminal)
    results = [line for line in lines if line.startswith("result")]
    assert [one.split(maxsplit=1)[1] for one in results] == ["partial", "end of the list"]


def test_a_cause_that_finds_no_room_stands_below_its_failure(terminal: SafeConsole) -> None:
    group = FailureGroup(
        key="17b243", cause=CAUSE, flow="process-all-active-watches", pool="data-fetch",
        kind="Partly Failed", runs=[uuid4()] * 12, first=NOW,
        last=datetime.now(UTC) - timedelta(minutes=119), example=CAUSE,
    )  # fmt: skip
    terminal.print(table("Failures", [failure_cells(group)], wraps="cause"))
    lines = lines_of(terminal)
    assert max(map(len, lines)) <= 80
    assert "process-all-active-watches" in lines[3]
    assert " ".join(line.strip() for line in lines[4:]) == CAUSE


def test_a_cause_that_finds_room_stands_in_its_column(terminal: SafeConsole) -> None:
    row = {"key": "17b243", "kind": "x", "cause": CAUSE}
    terminal.print(table("Failures", [row], wraps="cause"))
    assert len(lines_of(terminal)) == 5  # on two lines


def test_the_pools_fit(terminal: SafeConsole) -> None:
    pool = PoolSnapshot(
        name="ai-generation", is_paused=True, is_ready=False, slots=2, workers=1, running=1,
        scheduled=100, late=12, oldest_late=12_345, failed_last_day=100,
    )  # fmt: skip
    terminal.print(table("Pools", [pool_cells(pool)]))
    lines = lines_of(terminal)
    assert max(map(len, lines)) <= 80
    assert "ai-generation (paused)" in lines[-1]
    assert "12 (206 min)" in lines[-1]
    assert "…" not in "".join(lines)


def test_a_line_break_in_a_name_splits_no_row(terminal: SafeConsole) -> None:
    name = "first\nsecond\r\nthird\u2028fourth"
    terminal.print(table("Advertisers", [{"advertiser": name, "ads": 1}]))
    assert lines_of(terminal)[-1].split() == ["first", "second", "third", "fourth", "1"]


def test_a_list_has_a_line_for_each_of_its_values(terminal: SafeConsole) -> None:
    terminal.print(table("Advertisers", [{"advertiser": "a", "formats": ["2 text", "1 image"]}]))
    assert [line.split() for line in lines_of(terminal)[-2:]] == [
        ["a", "2", "text"],
        ["1", "image"],
    ]
