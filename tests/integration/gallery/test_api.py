"""The JSON interface: what programs get, how failures are said, and that it keeps the doors."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from adspark.creatives.boards import add_ads, create_board, find_board
from adspark.db.engine import Database
from adspark.library.filters.written import PARAMETERS
from adspark.watches.store import save_watch
from tests.support.factories import ADVERTISER_ID, watch_definition
from tests.support.gallery import GalleryClient, open_gallery
from tests.support.library import CAFE, SHOP, ad

_EVENT = text("""
    INSERT INTO creative_event (watch_id, ad_creative_id, kind, content_hash, occurred_at)
    SELECT :watch, ad_creative_id, :kind, content_hash, :at FROM creative WHERE ad_creative_id = :ad
""")
FAILURES = [
    ("ads?format=film", 422, "format", "is not one of"),
    ("ads?sort=relevance", 422, "sort", "takes words"),
    ("ads?after=x", 422, "after", "take `next` of the page before."),
    ("ads?limit=0", 422, "limit", "is less than 1."),
    ("ads?limit=1001", 422, "limit", "is more than 1000."),
    *(
        (f"{one}?limit={number}", 422, "limit", "is not a whole number.")
        for one in (
            "ads",
            "advertisers",
            "variants",
            "batches",
            "batches/1",
            f"ads/{ad(1)}/similar",
        )
        for number in ("1_000", "1.0", "%2B1", "%201", "%D9%A3")
    ),
    ("variants?after=1.0", 422, "after", "is not a whole number."),
    ("watches/1.0", 404, None, "There is no such watch"),
    ("variants/1_0", 404, None, "There is no such variant"),
    ("ads?fromat=text", 422, "fromat", "is no parameter here"),
    ("ads?first-from=yesterday", 422, "first-from", "is not a day"),
    ("ads?first-from=9999-12-31&first-to=0001-01-01", 422, "first-to", "swap them"),
    ("ads?domain=%00.com", 422, "domain", "NUL"),
    ("ads?board=none", 422, "board", "no board"),
    ("ads?watch=none", 422, "watch", "no watch"),
    ("ads/CR1", 404, None, "no ad CR1 is stored"),
    (f"ads/{ad(99)}/similar", 404, None, "is stored"),
    ("advertisers/AR1", 404, None, "No advertiser"),
    ("advertisers/AR1/survival", 404, None, "No advertiser"),
    ("advertisers/%00", 404, None, ""),
    ("advertisers?sort=price", 422, "sort", "is none of "),
    (
        "advertisers?after=WyJhZHMiLCB0cnVlLCAiQVIiXQ",
        422,
        "after",
        "take `next` of the page before.",
    ),
    ("advertisers?after=WyJhZHMiLCAiMSIsICJ4Il0", 422, "after", "take `next` of the page before."),
    ("advertisers/find?name=", 422, "name", "is empty"),
    ("advertisers/find", 422, "name", "is missing."),
    *(
        (f"advertisers/{CAFE}/library?day={day}", 422, "day", f"{day!r} is not a day; write ")
        for day in ("soon", "0", "-1", "1795805771", "20260801")
    ),
    (f"advertisers/{CAFE}/library?day=2026-02-30", 422, "day", "the calendar has no 2026-02-30;"),
    ("watches/99/news?since=2026-02-30T08:00Z", 422, "since", "the calendar has no 2026-02-30;"),
    ("watches/99/news?since=2026-02-03T99", 422, "since", "is not a time; write it"),
    *(
        (f"{path}=9999-12-31", 422, field, "9999-12-31 is to come; name today or a day before.")
        for path, field in (
            (f"advertisers/{CAFE}/library?day", "day"),
            (f"advertisers/{CAFE}/timeline?first", "first"),
            ("share?day", "day"),
            ("watches/99/news?since", "since"),
        )
    ),
    ("watches/99/news?since=9999-12-31T23:59-12:00", 422, "since", "is to come"),
    (f"advertisers/{CAFE}/timeline?last=soon", 422, "last", "'soon' is not a day; write it as "),
    (f"advertisers/{CAFE}/timeline?first=0", 422, "first", "'0' is not a day;"),
    (f"advertisers/{CAFE}/timeline?first=2026-02-02&last=2026-02-01", 422, "last", "swap them"),
    (f"advertisers/{CAFE}/timeline?period=hour", 422, "period", "is none of 'day', "),
    ("share?advertiser=%00", 422, "advertiser", "NUL"),
    ("watches/99", 404, None, "no watch 99"),
    ("watches/99999999999999", 404, None, "no such watch"),
    ("watches/x", 404, None, "no such watch id"),
    ("watches/99/news?since=2026-01-01", 404, None, "no watch 99"),
    ("watches/99/news", 422, "since", "is missing."),
    *(
        (f"watches/99/news?since={one}", 422, "since", "is not a time; write it as ")
        for one in ("-1", "1.5", "+5", "yesterday")
    ),
    ("boards/99", 404, None, "no board 99"),
    ("variants/99", 404, None, "no variant 99"),
    *(
        (f"variants?ad={one}", 422, "ad", "is not an ad id; write CR and 20 digits")
        for one in ("abc", "%25", "CR1", "%00")
    ),
    ("variants?after=0", 422, "after", "is less than 1."),
    *(
        (f"{path}?{name}={one}&{name}={other}", 422, name, "more than once; leave one out.")
        for path, name, one, other in (
            ("ads", "format", "text", "image"),
            ("ads", "running", "yes", "no"),
            ("ads", "q", "a", "b"),
            ("advertisers", "limit", "1", "2"),
            ("variants", "status", "failed", "completed"),
            ("export/ads.csv", "platform", "MAPS", "MAPS"),
        )
    ),
    ("export/ads.csv?sort=relevance", 422, "sort", "choose newest"),
    ("export/ads.jsonl?q=%21%21", 422, "q", "no word"),
    ("export/ads.jsonl?limit=3", 422, "limit", "is no parameter"),
    ("nowhere", 404, None, "openapi.json"),
]


async def get(client: GalleryClient, path: str, **parameters: Any) -> Any:  # noqa: ANN401
    """The answer to a request that succeeds."""
    answer = await client.get(f"/api/v1{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_ads_are_searched_with_the_words_and_filters_of_the_page(
    pages: GalleryClient,
) -> None:
    found = await get(pages, "/ads", q="running", platform="SEARCH", words="yes")

    assert {one["ad_creative_id"] for one in found["ads"]} == {ad(1), ad(2)}
    assert (found["total"], found["is_total_exact"], found["next"]) == (2, True, None)
    both = await get(pages, "/ads", advertiser=[CAFE, "Laufladen GmbH"])
    assert {one["ad_creative_id"] for one in both["ads"]} == {ad(4), ad(5)}


async def test_one_ad_and_those_like_it(pages: GalleryClient) -> None:
    one = await get(pages, f"/ads/{ad(1)}")

    assert (one["advertiser_id"], one["details"]["headline"]) == (ADVERTISER_ID, "Running shoes")
    assert (await get(pages, f"/ads/{ad(1)}/similar", limit=5))["ads"] == []


async def test_advertisers_and_their_figures(pages: GalleryClient) -> None:
    assert (await get(pages, "/advertisers"))["total"] == 3
    found = await get(pages, "/advertisers/find", name="zoe.example.com")
    assert [one["advertiser_id"] for one in found["advertisers"]] == [CAFE]
    path = f"/advertisers/{ADVERTISER_ID}"
    assert (await get(pages, path))["formats"] == {"text": 3}
    months = await get(pages, f"{path}/timeline", period="month", limit=100)
    assert sum(one["launched"] for one in months) == 2
    assert {one["kind"] for one in await get(pages, f"{path}/mix")} == {
        "format", "size", "platform"
    }  # fmt: skip
    assert (await get(pages, f"{path}/regions"))[0]["region"] == "2840"
    assert (await get(pages, f"{path}/longest"))[0]["ad_creative_id"] == ad(2)
    assert (await get(pages, f"{path}/survival"))["ads"] == 2
    assert (await get(pages, f"{path}/campaigns"))["compared"] == 2
    on_day = await get(pages, f"{path}/library", day="2026-05-30")
    assert [one["ad_creative_id"] for one in on_day["ads"]] == [ad(2), ad(1)]
    shares = await get(pages, "/share", day="2026-05-30", advertiser=[ADVERTISER_ID, SHOP])
    assert sum(one["share_of_creatives_seen"] for one in shares) == 1
    # A figure among fewer than were named would be another one.
    missing = await pages.get(
        "/api/v1/share", params={"advertiser": [ADVERTISER_ID, "AR00000000000000000009"]}
    )
    assert missing.status_code == 422
    assert "none of 'AR00000000000000000009' is stored" in missing.text


async def test_watches_say_how_complete_they_looked_and_news_come_by_page(
    pages: GalleryClient, database: Database
) -> None:
    async with database.session() as session:
        watch = await save_watch(session, definition=watch_definition())
        for hour, (number, kind) in enumerate(
            [(1, "baseline"), (2, "new"), (3, "changed"), (2, "changed")]
        ):
            at = datetime(2026, 6, 1, hour, tzinfo=UTC)
            values = {"watch": watch.id, "ad": ad(number), "kind": kind, "at": at}
            await session.execute(_EVENT, values)
        await session.commit()
    path = f"/watches/{watch.id}"

    (listed,) = await get(pages, "/watches")
    assert (listed["coverage"], listed["definition"]["name"]) == (None, "shoes")
    assert (await get(pages, path)) == listed
    first = await get(pages, f"{path}/news", since="2026-06-01T00:00:00Z", limit=2)
    rest = await get(
        pages, f"{path}/news", since="2026-06-01T00:00:00Z", limit=2, after=first["next"]
    )
    kinds = [(one["ad_creative_id"], one["kind"]) for one in first["news"] + rest["news"]]
    assert kinds == [(ad(2), "changed"), (ad(3), "changed"), (ad(2), "new")]
    assert rest["next"] is None
    assert first["watch"] == listed
    assert (await get(pages, f"{path}/news", since="2026-06-01T03:00"))["news"][1:] == []
    budget = await get(pages, "/budget")
    assert watch.id in [one["watch_id"] for one in budget["watches"]]
    assert [(one["user_id"], one["weight"], one["share"]) for one in budget["users"]] == [(1, 1, 1)]


async def test_boards_and_variants(pages: GalleryClient, database: Database) -> None:
    async with database.session() as session:
        await create_board(session, user_id=1, name="ideas")
        await create_board(session, user_id=2, name="theirs")
        board = await find_board(session, user_id=1, name="ideas")
        theirs = await find_board(session, user_id=2, name="theirs")
        await add_ads(session, board_id=board.id, ids=[ad(4)])
        insert = (
            "INSERT INTO ad_variant (original_ad_id, user_id, status, prompt, attempt) "
            f"SELECT '{ad(1)}', 1, status, 'x', 1 FROM unnest(ARRAY['pending', 'failed', "
            "'completed']) AS status RETURNING id"
        )
        variants = list(await session.scalars(text(insert)))
        review = "INSERT INTO variant_feedback (variant_id, user_id, rating) VALUES (:id, 1, 4)"
        await session.execute(text(review), {"id": variants[-1]})
        await session.commit()

    assert [one["name"] for one in await get(pages, "/boards")] == ["ideas"]
    (on_board,) = (await get(pages, f"/boards/{board.id}"))["ads"]
    assert on_board["ad_creative_id"] == ad(4)
    assert (await pages.get(f"/api/v1/boards/{theirs.id}")).status_code == 404
    page = await get(pages, "/variants", limit=2)
    rest = await get(pages, "/variants", limit=2, after=page["next"])
    assert [one["id"] for one in page["variants"] + rest["variants"]] == variants[::-1]
    assert rest["next"] is None
    one = await get(pages, f"/variants/{variants[-1]}")
    assert [review["rating"] for review in one["reviews"]] == [4]
    assert len((await get(pages, "/variants", status="failed", ad=ad(1)))["variants"]) == 1
    assert (await get(pages, "/variants/statistics"))["mean_rating"] == 4


async def test_what_goes_wrong_is_json_that_names_the_parameter(pages: GalleryClient) -> None:
    for path, status, field, words in FAILURES:
        answer = await pages.get(f"/api/v1/{path}")

        kind = answer.headers["content-type"]
        assert (path, answer.status_code, kind) == (path, status, "application/json")
        assert (path, set(answer.json())) == (path, {"detail", "field"})
        assert (path, answer.json()["field"]) == (path, field)
        assert words in answer.json()["detail"], path


async def test_it_keeps_the_doors_and_only_reads(pages: GalleryClient) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        assert (await pages.get("/api/v1/ads", headers=headers)).status_code == 403
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await pages.request(method, "/api/v1/ads")
        assert (answer.status_code, set(answer.json())) == (405, {"detail", "field"})


async def test_where_people_sign_in_programs_have_to_as_well(
    database_url: str, tmp_path: Path
) -> None:
    async with open_gallery(database_url, tmp_path, needs_sign_in=True) as client:
        for path in ("ads", "openapi.json", "export/ads.csv", "nowhere"):
            answer = await client.get(f"/api/v1/{path}")

            assert (answer.status_code, set(answer.json())) == (401, {"detail", "field"})


async def test_a_database_that_is_away_is_said_and_can_be_tried_again(tmp_path: Path) -> None:
    nowhere = "postgresql://postgres@127.0.0.1:1/none"
    async with open_gallery(nowhere, tmp_path) as client:
        answer = await client.get("/api/v1/ads")
        export = await client.get("/api/v1/export/ads.csv")

    for one in (answer, export):
        assert one.status_code == 503
        assert one.headers["retry-after"]
        assert "The database does not answer" in one.json()["detail"]
        assert "127.0.0.1" not in one.text


async def test_all_addresses_are_described(pages: GalleryClient) -> None:
    described = await get(pages, "/openapi.json")

    assert described["openapi"].startswith("3.")
    assert all(path.startswith("/api/v1/") for path in described["paths"])
    search = described["paths"]["/api/v1/ads"]["get"]
    named = {one["name"] for one in search["parameters"]}
    assert named == {*PARAMETERS, "q", "sort", "limit", "after"}
    for path, one in described["paths"].items():
        operation = one["get"]
        assert "400" not in operation["responses"], path
        assert operation["responses"]["422"]["content"]["application/json"]["schema"][
            "$ref"
        ].endswith("/Failure"), path
        assert operation["description"], path
        (kind,) = operation["responses"]["200"]["content"].values()
        assert kind["schema"], path
    page = await pages.get("/api/v1")
    assert 'href="/api/v1/openapi.json"' in page.text
