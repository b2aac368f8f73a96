"""The sandbox's catalogues, query checks, page tokens and faults, without a server."""

import tracemalloc
from datetime import UTC, datetime
from itertools import islice

import pytest

from adspark.sandbox.library.catalogue import Catalogue, CombinedCatalogue, Row, Selection
from adspark.sandbox.library.generated import GeneratedCatalogue
from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.sandbox.serpapi.faults import Fault, FaultBox, FaultKind
from adspark.sandbox.serpapi.page_tokens import PageTokens
from adspark.sandbox.serpapi.query import ENGINE, PLATFORMS, Query, RefusedError, parse_query

LULULEMON = "AR01614014350098432001"
NEW_BALANCE = "AR04323445746671026177"
MINDBYTE = "AR02261580089873399809"
LOKALISE = "AR14106713362364628993"
TESLA = "AR17828074650563772417"
FIRST, SECOND = "AR90000000000000000001", "AR90000000000000000002"


@pytest.fixture(scope="module")
def recorded() -> RecordedCatalogue:
    return RecordedCatalogue()


@pytest.fixture(scope="module")
def generated() -> GeneratedCatalogue:
    return GeneratedCatalogue(advertisers=3, creatives_per_advertiser=250, seed=7)


def epoch(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def read(selection: Selection) -> list[Row]:
    return list(selection.rows(0))


def moments(rows: list[Row]) -> list[int]:
    return [int(row.get("last_shown", 0)) for row in rows]


@pytest.mark.parametrize(
    ("reason", "query", "count"),
    [
        ("US only, no region asked", Query((NEW_BALANCE,)), 40),
        ("US only, US asked", Query((NEW_BALANCE,), region="2840"), 40),
        ("US only, Germany asked", Query((NEW_BALANCE,), region="2276"), 0),
        ("no region recorded, Germany asked", Query((MINDBYTE,), region="2276"), 24),
        ("recorded as anywhere, Germany asked", Query((LOKALISE,), region="2276"), 1),
        ("two advertisers", Query((NEW_BALANCE, MINDBYTE)), 64),
        ("all are text ads", Query((NEW_BALANCE,), creative_format="video"), 0),
        ("all are video ads", Query((MINDBYTE,), creative_format="video"), 24),
        ("platforms are not known", Query((NEW_BALANCE,), region="2840", platform="MAPS"), 40),
        ("none is political", Query((NEW_BALANCE,), region="2840", political=True), 0),
        ("an advertiser that nobody knows", Query(("AR00000000000000000000",)), 0),
        ("the recorded domain", Query(text="tesla.com"), 3),
        ("www. is not the bare domain", Query(text="www.tesla.com"), 0),
        ("a path is not the bare domain", Query(text="tesla.com/models"), 0),
        ("a brand is not a domain", Query(text="Tesla"), 0),
        ("domain and its advertiser", Query((TESLA,), text="tesla.com"), 3),
        ("domain and another advertiser", Query((NEW_BALANCE,), text="tesla.com"), 0),
        ("ended before all ads", Query((NEW_BALANCE,), end=epoch(2010, 1, 1)), 0),
        ("started after all ads", Query((NEW_BALANCE,), start=epoch(2027, 1, 1)), 0),
        ("an ad without times lies in no span", Query((LOKALISE,), start=epoch(2010, 1, 1)), 0),
    ],
)
def test_recorded_ads_match_as_they_were_recorded(
    recorded: RecordedCatalogue, reason: str, query: Query, count: int
) -> None:
    assert len(recorded.select(query)) == count, reason


@pytest.mark.parametrize(
    ("reason", "start", "end"),
    [
        ("a day in the middle", epoch(2026, 5, 1), epoch(2026, 5, 2)),
        ("only a start", epoch(2026, 8, 11), None),
        ("only an end", None, epoch(2024, 1, 1)),
        ("a long span", epoch(2020, 1, 1), epoch(2026, 12, 31)),
    ],
)
def test_dates_select_every_ad_shown_on_any_day_of_the_span(
    recorded: RecordedCatalogue,
    generated: GeneratedCatalogue,
    reason: str,
    start: int | None,
    end: int | None,
) -> None:
    both: list[tuple[Catalogue, str]] = [(recorded, NEW_BALANCE), (generated, FIRST)]
    for catalogue, advertiser in both:
        expected = [
            row
            for row in read(catalogue.select(Query((advertiser,))))
            if (end is None or int(row["first_shown"]) <= end)
            and (start is None or int(row["last_shown"]) >= start)
        ]
        found = catalogue.select(Query((advertiser,), start=start, end=end))
        assert expected, "the case should select something"
        assert read(found) == expected, reason
        assert len(found) == len(expected)


def test_recorded_rows_without_last_shown_come_last(recorded: RecordedCatalogue) -> None:
    rows = read(recorded.select(Query((LOKALISE, MINDBYTE))))
    assert moments(rows) == sorted(moments(rows), reverse=True)
    assert "last_shown" not in rows[-1]


def test_every_recorded_row_is_served_and_found_by_its_numbers(recorded: RecordedCatalogue) -> None:
    advertisers = recorded.advertisers(100)
    rows = read(recorded.select(Query(tuple(one.id for one in advertisers))))
    assert (len(rows), len(advertisers)) == (320, 12)
    for row in rows:
        assert recorded.find(str(row["ad_creative_id"])) is row
        if "image" in row:
            assert recorded.find(str(row["image"]).rpartition("/")[2]) is row


def test_nothing_that_a_recorded_ad_is_rendered_from_is_outside_the_sandbox(
    recorded: RecordedCatalogue,
) -> None:
    everybody = tuple(one.id for one in recorded.advertisers(100))
    rows = read(recorded.select(Query(advertiser_ids=everybody)))
    shown = [row.get("image") or row.get("link") or row.get("details_link") for row in rows]
    assert len(shown) == 320
    assert [one for one in shown if one and not str(one).startswith("/")] == []


def test_generated_ads_have_the_mix_of_real_ones(generated: GeneratedCatalogue) -> None:
    rows = list(islice(generated.select(Query((FIRST,))).rows(0), 240))
    text = [row for row in rows if row["format"] == "text"]
    assert {row["format"] for row in rows} == {"text", "image", "video"}
    assert len([row for row in text if "image" in row]) == 0.9 * len(text)
    assert all(("image" in row) != ("link" in row) for row in rows)
    assert all("link" in row for row in rows if row["format"] == "video")
    assert all(row["target_domain"] == "sandbox-1.example" for row in rows)
    assert all(int(row["first_shown"]) < int(row["last_shown"]) for row in rows)


@pytest.mark.parametrize("query", [Query((FIRST, SECOND)), Query(text="sandbox-2.example")])
def test_generated_ads_are_the_same_for_the_same_seed(query: Query) -> None:
    one, same, other = (
        read(GeneratedCatalogue(advertisers=2, seed=seed).select(query)) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other
    assert len({row["ad_creative_id"] for row in one}) == len(one)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("creative_format", ["text", "image", "video", None])
def test_generated_filters_keep_order_and_count(
    generated: GeneratedCatalogue, platform: str, creative_format: str | None
) -> None:
    everything = read(generated.select(Query((FIRST,))))
    query = Query((FIRST,), region="2840", platform=platform, creative_format=creative_format)
    selection = generated.select(query)
    rows = read(selection)
    assert len(selection) == len(rows)
    assert rows == [row for row in everything if row in rows]
    assert {row["format"] for row in rows} <= ({creative_format} if creative_format else {
        "text", "image", "video"})  # fmt: skip


def test_platforms_overlap_and_together_cover_all(generated: GeneratedCatalogue) -> None:
    found = [
        {str(row["ad_creative_id"]) for row in read(generated.select(Query((FIRST,), platform=p)))}
        for p in PLATFORMS
    ]
    assert len(set[str]().union(*found)) == 250
    assert sum(map(len, found)) > 250


@pytest.mark.parametrize(
    ("reason", "query"),
    [
        ("two generated", Query((FIRST, SECOND))),
        ("recorded and generated", Query((NEW_BALANCE, FIRST))),
        ("with a row without last_shown", Query((LOKALISE, FIRST, MINDBYTE))),
        ("filtered", Query((FIRST, SECOND, NEW_BALANCE), creative_format="text")),
    ],
)
def test_merged_selections_start_anywhere_without_gaps(
    recorded: RecordedCatalogue, generated: GeneratedCatalogue, reason: str, query: Query
) -> None:
    selection = CombinedCatalogue([recorded, generated]).select(query)
    whole = read(selection)
    assert len(whole) == len(selection), reason
    assert moments(whole) == sorted(moments(whole), reverse=True), reason
    for start in range(0, len(whole) + 1, 17):
        assert list(selection.rows(start)) == whole[start:], f"{reason}, from {start}"


def test_a_million_creatives_are_reached_in_bounded_memory() -> None:
    tracemalloc.start()
    catalogue = GeneratedCatalogue(advertisers=2, creatives_per_advertiser=1_000_000)
    for query in (Query((FIRST,)), Query((FIRST, SECOND), creative_format="video")):
        selection = catalogue.select(query)
        start = len(selection) - 100
        rows = list(islice(selection.rows(start), 100))
        assert len(rows) == 100
        assert catalogue.find(str(rows[-1]["ad_creative_id"])) == rows[-1]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize(
    "number", ["CR90000004000000000000", "CR90000001000000000250", "CR1", "", "CR9x"]
)
def test_ads_that_were_never_generated_are_not_found(
    generated: GeneratedCatalogue, number: str
) -> None:
    assert generated.find(number) is None


def test_a_token_serves_the_query_it_was_made_for() -> None:
    tokens, query = PageTokens(seed=1), Query((FIRST,))
    token = tokens.make(query, 123_456_789)
    assert tokens.read(query, token) == 123_456_789
    assert PageTokens(seed=1).read(query, token) == 123_456_789, "after a restart too"


@pytest.mark.parametrize(
    ("reason", "query", "token"),
    [
        ("another query's", Query((SECOND,)), PageTokens(1).make(Query((FIRST,)), 40)),
        ("another sandbox's", Query((FIRST,)), PageTokens(2).make(Query((FIRST,)), 40)),
        ("not base64", Query((FIRST,)), "***"),
        ("not ASCII", Query((FIRST,)), "é"),
        ("too short", Query((FIRST,)), "AAAA"),
        ("made up", Query((FIRST,)), "A" * 32),
    ],
)
def test_other_tokens_are_not_read(reason: str, query: Query, token: str) -> None:
    assert PageTokens(seed=1).read(query, token) is None, reason


@pytest.mark.parametrize(
    ("reason", "params", "message"),
    [
        ("13th month", {"start_date": "20261301"}, "Unsupported `20261301` start_date parameter."),
        ("ISO date", {"end_date": "2026-01-01"}, "Unsupported `2026-01-01` end_date parameter."),
        ("ISO region", {"region": "US"}, "Unsupported `US` region parameter."),
        ("misspelt name", {"platfrom": "MAPS"}, "Unsupported `platfrom` parameter."),
    ],
)
def test_bad_parameters_are_refused(reason: str, params: dict[str, str], message: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_query({"engine": ENGINE, "advertiser_id": FIRST} | params)
    assert (refused.value.status, refused.value.message) == (400, message), reason


def test_a_fault_spares_the_first_and_ends_after_its_times() -> None:
    box = FaultBox([Fault(kind=FaultKind.RESET, after=2, times=2)], seed=0)
    assert [box.draw(later_page=False).end is not None for _ in range(6)] == [
        False, False, True, True, False, False,
    ]  # fmt: skip


def test_chances_repeat_with_the_seed() -> None:
    fault = Fault(kind=FaultKind.HTML, probability=0.3)
    boxes = [FaultBox([fault], seed) for seed in (5, 5, 6)]
    one, same, other = ([bool(b.draw(later_page=False).end) for _ in range(200)] for b in boxes)
    assert one == same
    assert one != other
    assert 30 < sum(one) < 90


def test_latency_adds_to_what_else_happens() -> None:
    box = FaultBox(
        [
            Fault(kind=FaultKind.LATENCY, seconds=2),
            Fault(kind=FaultKind.BROKEN_ROWS),
            Fault(kind=FaultKind.UNAVAILABLE_503, after=1),
        ],
        seed=0,
    )
    first, second = box.draw(later_page=False), box.draw(later_page=False)
    assert (first.wait, first.end) == (2, None)
    assert first.changes == frozenset({FaultKind.BROKEN_ROWS})
    assert second.wait == 2
    assert second.end is not None
