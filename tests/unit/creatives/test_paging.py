"""What a page proves about later ones: order and end, and nothing that was not seen."""

from datetime import UTC, datetime, timedelta

import pytest

from adspark.creatives.paging import PageOrder
from adspark.models import Fetch, StopReason
from adspark.serpapi.payloads import RejectedPayload, SearchPage, parse_rows, shown_of
from tests.support.factories import creative_row

NEWEST = datetime(2026, 8, 12, tzinfo=UTC)
WATERMARK = NEWEST - timedelta(hours=5)


def page(*hours: float | None, first: int = 1, token: str | None = "next") -> SearchPage:
    """A page whose ads were last shown so many hours before the newest."""
    sent = [
        creative_row(
            first + place,
            last_shown=... if ago is None else int((NEWEST - timedelta(hours=ago)).timestamp()),
        )
        for place, ago in enumerate(hours)
    ]
    good, rejected = parse_rows(sent)
    return SearchPage(
        searches=[], rows=good, rejected=rejected, shown=shown_of(sent), next_page_token=token
    )


def stops(*pages: SearchPage, order: PageOrder | None = None) -> list[StopReason | None]:
    """Why the fetch would stop after each of the pages."""
    order, fetch = order or PageOrder(), Fetch(query={"page_size": 3}, query_hash="")
    found = []
    for one in pages:
        found.append(order.stop_after(one, fetch, watermark=WATERMARK))
        fetch.pages += 1
        fetch.new_count += len(one.rows)
    return found


@pytest.mark.parametrize(
    ("hours", "stop"),
    [
        pytest.param((0, 3, 6), StopReason.WATERMARK, id="in order and behind it"),
        pytest.param((0, 3, 4), None, id="not so far back"),
        pytest.param((0, 3, 5), None, id="just at it: the next may have more of that moment"),
        pytest.param((0, 5, 5.0003), StopReason.WATERMARK, id="a second behind it"),
        pytest.param((0, 6, 3), None, id="an old one among new ones"),
        pytest.param((6, 0, 3), None, id="an old one in front"),
        pytest.param((0, 6, 3, 6), None, id="out of order, and old at the end"),
        pytest.param((6, 0, 6), None, id="old at both ends"),
        pytest.param((0, None, 6), None, id="a row without its day"),
        pytest.param((0, 6, None), None, id="no day at the end"),
        pytest.param((0, 6, 6), StopReason.WATERMARK, id="two of the same moment"),
        pytest.param((6, 7, 8), StopReason.WATERMARK, id="all old"),
    ],
)
def test_only_a_page_in_order_proves_that_later_ones_are_old(
    hours: tuple[float | None, ...], stop: StopReason | None
) -> None:
    assert stops(page(*hours)) == [stop]


def test_a_page_that_starts_newer_than_the_last_one_ended_proves_nothing() -> None:
    assert stops(page(0, 1, 3), page(2, 4, 6, first=10)) == [None, None]
    assert stops(page(0, 1, 3), page(3, 4, 6, first=10)) == [None, StopReason.WATERMARK]


def test_the_page_behind_an_unordered_one_is_judged_by_itself() -> None:
    assert stops(page(0, 6, 1), page(2, 3, 6, first=10)) == [None, StopReason.WATERMARK]


def test_rows_that_slid_down_from_the_last_page_do_not_count_against_its_order() -> None:
    slid = page(1, 3, 6, first=2)  # its first two stood on the last page
    assert stops(page(0, 1, 3), slid) == [None, StopReason.WATERMARK]


def test_after_a_resume_the_order_goes_on_from_the_ledger() -> None:
    def resumed(hours: float) -> PageOrder:
        return PageOrder(shown_to=NEWEST - timedelta(hours=hours), is_resumed=True)

    assert stops(page(3, 4, 6), order=resumed(2)) == [StopReason.WATERMARK]
    assert stops(page(3, 4, 6), order=resumed(4)) == [None]
    assert stops(page(3, 4, 6), order=PageOrder(is_resumed=True)) == [None]


def test_a_rejected_row_counts_with_the_day_that_it_has() -> None:
    sent = page(0, 3, 6)
    odd = RejectedPayload(payload={}, reason="")
    known = sent.model_copy(update={"rows": sent.rows[:2], "rejected": [odd]})
    unknown = known.model_copy(update={"shown": [*known.shown[:2], None]})
    assert stops(known) == [StopReason.WATERMARK]
    assert stops(unknown) == [None]


def test_the_last_page_needs_no_order() -> None:
    assert stops(page(6, 0, token=None)) == [StopReason.END]
