"""Changes to the sandbox's ads, without a server."""

from typing import Any

import pytest
from pydantic import ValidationError

from adspark.sandbox.library.catalogue import CombinedCatalogue, Row, Selection
from adspark.sandbox.library.changed_catalogue import ChangedCatalogue, UnknownAdError
from adspark.sandbox.library.changes import CHANGES
from adspark.sandbox.library.generated import GeneratedCatalogue
from adspark.sandbox.library.recorded import RecordedCatalogue
from adspark.sandbox.serpapi.query import Query

NEW_BALANCE, NEW_BALANCE_AD = "AR04323445746671026177", "CR06923374512490676225"
TESLA = "AR17828074650563772417"
FIRST, FIRST_AD = "AR90000000000000000001", "CR90000001000000000000"
SECOND = "AR90000000000000000002"
STRANGER = "AR00000000000000000007"
NEWCOMER = "CR00000000000000000001"
ADS = [
    pytest.param(NEW_BALANCE, NEW_BALANCE_AD, id="recorded"),
    pytest.param(FIRST, FIRST_AD, id="generated"),
]
Json = dict[str, Any]


class CountingCatalogue(CombinedCatalogue):
    """Counts the rows that are read through its selections."""

    def __init__(self, *parts: RecordedCatalogue | GeneratedCatalogue) -> None:
        super().__init__(parts)
        self.selections: list[Selection] = []

    def select(self, query: Query) -> Selection:
        self.selections.append(super().select(query))
        return self.selections[-1]


@pytest.fixture(scope="module")
def base() -> CountingCatalogue:
    return CountingCatalogue(RecordedCatalogue(), GeneratedCatalogue(advertisers=3))


def change(base: CombinedCatalogue, *changes: Json) -> ChangedCatalogue:
    return ChangedCatalogue(base, CHANGES.validate_python(list(changes)))


def remove(number: str) -> Json:
    return {"action": "remove", "ad_creative_id": number}


def alter(number: str, **row: str | int | None) -> Json:
    return {"action": "alter", "ad_creative_id": number, "row": row}


def add(**row: str | int) -> Json:
    usual: Json = {
        "advertiser_id": STRANGER,
        "advertiser": "Stranger",
        "ad_creative_id": NEWCOMER,
        "format": "text",
    }
    return {"action": "add", "row": usual | row}


def read(catalogue: ChangedCatalogue | CombinedCatalogue, query: Query) -> list[Row]:
    return list(catalogue.select(query).rows(0))


def ids(rows: list[Row]) -> list[str]:
    return [str(row["ad_creative_id"]) for row in rows]


def moments(rows: list[Row]) -> list[int]:
    return [int(row.get("last_shown", 0)) for row in rows]


@pytest.mark.parametrize(("advertiser", "number"), ADS)
def test_a_removed_ad_is_gone_and_the_others_keep_their_order(
    base: CountingCatalogue, advertiser: str, number: str
) -> None:
    before = read(base, Query((advertiser,)))
    changed = change(base, remove(number))
    assert read(changed, Query((advertiser,))) == [
        row for row in before if row["ad_creative_id"] != number
    ]
    assert changed.find(number) is None
    picture = next(row["image"] for row in before if row["ad_creative_id"] == number)
    assert changed.find(str(picture).rpartition("/")[2]) is None


@pytest.mark.parametrize(("advertiser", "number"), ADS)
def test_an_altered_ad_has_the_new_values_and_moves_to_its_place(
    base: CountingCatalogue, advertiser: str, number: str
) -> None:
    newest = moments(read(base, Query((advertiser,))))[0]
    changed = change(base, alter(number, last_shown=newest + 1, width=17, total_days_shown=None))
    rows = read(changed, Query((advertiser,)))
    assert rows[0]["ad_creative_id"] == number
    assert (rows[0]["last_shown"], rows[0]["width"]) == (newest + 1, 17)
    assert "total_days_shown" not in rows[0]
    assert len(rows) == len(base.select(Query((advertiser,))))
    assert moments(rows) == sorted(moments(rows), reverse=True)
    assert changed.find(number) == rows[0]
    assert changed.find(str(rows[0]["image"]).rpartition("/")[2]) == rows[0]
    found = base.find(number)
    assert found is not None
    assert found["last_shown"] != newest + 1, "the base stays as it is"


@pytest.mark.parametrize("advertiser", [NEW_BALANCE, FIRST, STRANGER])
def test_an_added_ad_stands_in_its_place(base: CountingCatalogue, advertiser: str) -> None:
    before = read(base, Query((advertiser,)))
    moment = moments(before)[len(before) // 2] if before else 1_786_000_000
    row = add(advertiser_id=advertiser, last_shown=moment, image="/archive/simgad/77")
    changed = change(base, row)
    rows = read(changed, Query((advertiser,)))
    assert set(ids(rows)) == {*ids(before), NEWCOMER}
    assert moments(rows) == sorted(moments(rows), reverse=True)
    assert changed.find(NEWCOMER) == changed.find("77") == row["row"]


@pytest.mark.parametrize(
    ("reason", "row", "query", "is_found"),
    [
        ("its advertiser", {}, Query((STRANGER,)), True),
        ("beside another", {}, Query((FIRST, STRANGER)), True),
        ("another advertiser", {}, Query((FIRST,)), False),
        ("its domain", {"target_domain": "a.example"}, Query(text="a.example"), True),
        ("a domain with others", {"target_domain": "tesla.com"}, Query(text="tesla.com"), True),
        ("no domain", {}, Query(text="a.example"), False),
        ("its format", {}, Query((STRANGER,), creative_format="text"), True),
        ("another format", {}, Query((STRANGER,), creative_format="video"), False),
        ("its days", {"first_shown": 10, "last_shown": 20}, Query((STRANGER,), start=15), True),
        ("other days", {"first_shown": 10, "last_shown": 20}, Query((STRANGER,), start=21), False),
        ("political", {}, Query((STRANGER,), political=True), False),
    ],
)
def test_an_added_ad_matches_as_a_recorded_one(
    base: CountingCatalogue, reason: str, row: Json, query: Query, is_found: bool
) -> None:
    assert (NEWCOMER in ids(read(change(base, add(**row)), query))) == is_found, reason


def test_an_altered_domain_moves_an_ad_from_text_to_text(base: CountingCatalogue) -> None:
    changed = change(base, alter(FIRST_AD, target_domain="moved.example"))
    assert ids(read(changed, Query(text="moved.example"))) == [FIRST_AD]
    assert FIRST_AD not in ids(read(changed, Query(text="sandbox-1.example")))


def test_changes_are_made_one_after_the_other(base: CountingCatalogue) -> None:
    changed = change(
        base,
        add(last_shown=5),
        alter(NEWCOMER, last_shown=6, width=3),
        alter(NEWCOMER, width=None),
        remove(FIRST_AD),
        add(ad_creative_id=FIRST_AD, advertiser_id=SECOND, advertiser="Taken over"),
    )
    assert changed.find(NEWCOMER) == add(last_shown=6)["row"]
    assert FIRST_AD not in ids(read(changed, Query((FIRST,))))
    assert ids(read(changed, Query((SECOND,))))[-1] == FIRST_AD


@pytest.mark.parametrize(
    ("reason", "changes"),
    [
        ("no such ad to remove", [remove(NEWCOMER)]),
        ("no such ad to alter", [alter(NEWCOMER, width=3)]),
        ("removed before", [remove(FIRST_AD), alter(FIRST_AD, width=3)]),
    ],
)
def test_ads_that_there_are_not_cannot_be_changed(
    base: CountingCatalogue, reason: str, changes: list[Json]
) -> None:
    with pytest.raises(UnknownAdError, match="There is no ad CR"):
        change(base, *changes)


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        ("unknown action", {"action": "hide", "ad_creative_id": FIRST_AD}),
        ("no id", {"action": "remove"}),
        ("no real id", remove("CR1")),
        ("a field too many", remove(FIRST_AD) | {"row": {}}),
        ("no advertiser's id", add(advertiser_id="AR17")),
        ("a format that there is not", add(format="hologram")),
        ("a field that rows do not have", add(colour="red")),
        ("a time in words", add(last_shown="yesterday")),
        ("a size of nothing", alter(FIRST_AD, width=0)),
        ("another id", alter(FIRST_AD, ad_creative_id=NEWCOMER)),
        ("a row without a format", alter(FIRST_AD, format=None)),
        ("a row without an advertiser", alter(FIRST_AD, advertiser=None)),
        ("no address", alter(FIRST_AD, image="picture.png")),
    ],
)
def test_changes_that_make_no_sense_are_refused(reason: str, given: Json) -> None:
    with pytest.raises(ValidationError):
        CHANGES.validate_python([given])


def test_a_link_is_kept_without_its_nonces(base: CountingCatalogue) -> None:
    link = "/ads/preview/content.js?creativeId=5"
    changed = change(base, add(link=f"{link}&htmlParentId=a-1&responseCallback=b1"))
    assert changed.find("5") == add(link=link)["row"]


def test_queries_that_no_change_touches_get_the_bases_selection() -> None:
    base = CountingCatalogue(RecordedCatalogue(), GeneratedCatalogue(advertisers=20_000))
    changed = change(base, *(remove(f"CR9{n:07d}000000000000") for n in range(1, 10_001)))
    untouched = [
        Query(("AR90000000000000010001", NEW_BALANCE, TESLA)),
        Query(text="sandbox-10001.example"),
        Query(text="tesla.com"),
        Query((TESLA,), text="sandbox-1.example"),
    ]
    for query in untouched:
        assert changed.select(query) is base.selections[-1]
    assert len(changed.select(Query((FIRST,)))) == 39
    assert len(changed.select(Query(text="sandbox-10000.example"))) == 39
