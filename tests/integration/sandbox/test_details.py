"""The sandbox's ad-details engine over HTTP."""

from datetime import timedelta

import httpx
import pytest

from adspark.sandbox.settings import SandboxSettings
from tests.support.sandbox_client import Client, Json, MovedClock, visit

ENGINE = "google_ads_transparency_center_ad_details"
SAVAGE = {"advertiser_id": "AR03556834903704207361", "creative_id": "CR12260659916586352641"}
WITHOUT_RESULTS = {
    "advertiser_id": "AR13494478831020408833",
    "creative_id": "CR13967838661455118337",
}
LULULEMON = "AR01614014350098432001"
NEW_BALANCE = "AR04323445746671026177"
MINDBYTE = {"advertiser_id": "AR02261580089873399809", "creative_id": "CR10140766545790369793"}
FIRST = {"advertiser_id": "AR90000000000000000001", "creative_id": "CR90000001000000000000"}
UNKNOWN = FIRST | {"creative_id": "CR90000001000000999999"}
NO_RESULTS = "Google Ads Transparency Center Ad Details hasn't returned any results for this query."


def look_up(client: Client, **params: str) -> Json:
    return client.search(engine=ENGINE, **params)


def test_a_recorded_answer_comes_as_it_was_but_with_pictures_of_the_sandbox(
    sandbox: Client,
) -> None:
    body = look_up(sandbox, **SAVAGE, region="2840")
    assert set(body) == {
        "search_metadata", "search_parameters", "search_information", "ad_creatives",
    }  # fmt: skip
    assert body["search_metadata"]["status"] == "Success"
    assert body["search_metadata"]["sandbox"] is True
    assert body["search_metadata"]["created_at"] == "2026-08-12 23:30:00 UTC"
    assert body["search_parameters"] == {"engine": ENGINE, **SAVAGE, "region": "2840"}
    assert body["search_information"]["regions"][0] == {
        "region": 2276,
        "region_name": "Germany",
        "first_shown": 20251006,
        "last_shown": 20260729,
        "times_shown": "1000 - 2000",
    }
    picture, _, copy, _ = body["ad_creatives"]
    assert picture["image"].startswith(f"{sandbox.url}/archive/simgad/")
    assert sandbox.http.get(picture["image"]).headers["content-type"] == "image/png"
    assert copy["title"] == "Savage X Fenty"


def test_a_recorded_answer_without_results_says_so_and_names_the_regions(sandbox: Client) -> None:
    body = look_up(sandbox, **WITHOUT_RESULTS)
    assert body["error"] == NO_RESULTS
    assert body["search_information"]["regions"][0]["last_shown"] == 20260812
    assert "ad_creatives" not in body
    assert sandbox.stats()["billed"] == 1


def test_every_link_to_details_of_a_list_leads_to_an_answer(sandbox: Client) -> None:
    for advertiser in (NEW_BALANCE, FIRST["advertiser_id"]):
        for row in sandbox.search(advertiser_id=advertiser)["ad_creatives"]:
            link = httpx.URL(row["serpapi_details_link"]).copy_add_param("api_key", "sandbox-key")
            information = sandbox.http.get(link).json()["search_information"]
            assert information["format"] == row["format"]


def test_a_generated_ad_has_one_variation_with_marked_copy(sandbox: Client) -> None:
    rows = sandbox.search(advertiser_id=FIRST["advertiser_id"])["ad_creatives"]
    row = next(row for row in rows if row["ad_creative_id"] == FIRST["creative_id"])
    body = look_up(sandbox, **FIRST)
    shown = {name: row[name] for name in ("first_shown", "last_shown")}
    assert body["search_information"] == {
        "format": row["format"],
        "last_shown": row["last_shown"],
        "region": 2840,
        "region_name": "United States",
        "regions": [{"region": 2840, "region_name": "United States", **shown}],
    }
    (variation,) = body["ad_creatives"]
    assert variation["title"] == f"Sandbox ad {FIRST['creative_id']}"
    assert "SANDBOX" in variation["snippet"]
    assert variation["link"].startswith("https://sandbox-1.example/landing/")
    assert variation["visible_link"] == "sandbox-1.example"
    assert variation["call_to_action"]
    assert sandbox.http.get(variation["image"]).status_code == 200


def test_nothing_is_invented_about_a_real_company(sandbox: Client) -> None:
    rows = sandbox.search(advertiser_id=LULULEMON, num="100")["ad_creatives"]
    variations: list[Json] = []
    for row in rows:
        body = look_up(sandbox, advertiser_id=LULULEMON, creative_id=row["ad_creative_id"])
        if "more_ads_by_advertiser" not in body["search_information"]:
            variations += body.get("ad_creatives", [])
            regions = [region["region"] for region in body["search_information"]["regions"]]
            assert regions == ([2840] if "region=US" in row["details_link"] else [])
    assert variations, "some should have a picture, but no recorded answer"
    assert all(one.keys() == {"image", "width", "height"} for one in variations)
    unseen = look_up(sandbox, **MINDBYTE)
    assert unseen["error"] == NO_RESULTS, "neither picture nor copy was recorded"
    assert unseen["search_information"]["regions"] == [], "no country was recorded"


@pytest.mark.parametrize(
    ("reason", "asked"),
    [
        ("no such ad", UNKNOWN),
        ("another advertiser's ad", FIRST | {"advertiser_id": NEW_BALANCE}),
        ("a picture's number", FIRST | {"creative_id": FIRST["creative_id"].removeprefix("CR")}),
    ],
)
def test_an_ad_that_there_is_not_fails_free_of_charge(
    sandbox: Client, reason: str, asked: dict[str, str]
) -> None:
    for _ in range(2):
        body = look_up(sandbox, **asked)
        assert body["error"] == "Failed to retrieve data.", reason
        assert set(body) == {"search_metadata", "search_parameters", "error"}
        assert body["search_metadata"]["sandbox"] is True
    assert sandbox.stats() == {"requests": 2, "billed": 0, "cached": 0, "failed": 2}
    assert sandbox.account()["this_month_usage"] == 0


def test_details_are_billed_once_and_then_cached_like_lists(
    sandbox: Client, clock: MovedClock
) -> None:
    def ask() -> bytes:
        return sandbox.get(engine=ENGINE, **FIRST).content

    first = ask()
    clock.now += timedelta(minutes=59)
    assert ask() == first
    assert sandbox.stats() == {"requests": 2, "billed": 1, "cached": 1, "failed": 0}
    clock.now += timedelta(minutes=1)
    assert ask() != first
    look_up(sandbox, **FIRST, no_cache="true")
    assert sandbox.account()["this_month_usage"] == 3


def test_details_follow_changes_but_not_from_the_cache(sandbox: Client) -> None:
    change = {"ad_creative_id": FIRST["creative_id"]}
    before = look_up(sandbox, **FIRST)
    altered = change | {"action": "alter", "row": {"last_shown": 1_800_000_000}}
    assert sandbox.http.put("/sandbox/changes", json=[altered]).status_code == 200
    assert look_up(sandbox, **FIRST) == before
    fresh = look_up(sandbox, **FIRST, no_cache="true")
    assert fresh["search_information"]["last_shown"] == 1_800_000_000
    removed = change | {"action": "remove"}
    assert sandbox.http.put("/sandbox/changes", json=[removed]).status_code == 200
    assert look_up(sandbox, **FIRST) == fresh | {"search_parameters": before["search_parameters"]}
    failed = look_up(sandbox, **FIRST, no_cache="true")
    assert failed["error"] == "Failed to retrieve data."


def test_an_added_ad_has_plain_details(sandbox: Client) -> None:
    asked = {"advertiser_id": NEW_BALANCE, "creative_id": "CR00000000000000000001"}
    row = {
        "advertiser_id": NEW_BALANCE,
        "advertiser": "New Balance",
        "ad_creative_id": asked["creative_id"],
        "format": "image",
        "image": "/archive/simgad/77",
    }
    response = sandbox.http.put("/sandbox/changes", json=[{"action": "add", "row": row}])
    assert response.status_code == 200
    body = look_up(sandbox, **asked)
    assert body["search_information"] == {
        "format": "image", "region_name": "anywhere", "regions": [],
    }  # fmt: skip
    assert body["ad_creatives"] == [{"image": f"{sandbox.url}/archive/simgad/77"}]


@pytest.mark.parametrize(
    ("reason", "params", "status", "message"),
    [
        ("no advertiser", {"advertiser_id": ""}, 400, "Missing query `advertiser_id` parameter."),
        ("no creative", {"creative_id": ""}, 400, "Missing query `creative_id` parameter."),
        ("ISO region", {"region": "US"}, 400, "Unsupported `US` region parameter."),
        ("for lists only", {"num": "40"}, 400, "Unsupported `num` parameter."),
        ("text", {"text": "tesla.com"}, 400, "Unsupported `text` parameter."),
        ("async", {"async": "true"}, 400, "Unsupported `true` async parameter."),
        ("no JSON", {"output": "html"}, 400, "Unsupported `html` output parameter."),
        ("wrong key", {"api_key": "wrong"}, 401,
         "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"),
    ],
)  # fmt: skip
def test_parameters_are_refused_free_of_charge(
    sandbox: Client, reason: str, params: dict[str, str], status: int, message: str
) -> None:
    response = sandbox.get(**({"engine": ENGINE} | FIRST | params))
    assert (response.status_code, response.json()["error"]) == (status, message), reason
    assert sandbox.stats() == {"requests": 1, "billed": 0, "cached": 0, "failed": 1}


def test_the_list_engine_takes_no_creative_id(sandbox: Client) -> None:
    response = sandbox.get(**FIRST)
    assert response.json()["error"] == "Unsupported `creative_id` parameter."


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("throughput_429", 429, "hourly throughput limit"),
        ("quota_429", 429, "run out of searches"),
        ("server_error_500", 500, "Internal Server Error"),
        ("unavailable_503", 503, '"status":"Error"'),
        ("html", 200, "<!doctype html>"),
        ("cut_json", 200, f'"{ENGINE}_url":'),
    ],
)
def test_faults_hit_details_as_they_hit_lists(
    sandbox: Client, kind: str, status: int, content: str
) -> None:
    sandbox.switch_on({"kind": kind, "times": 1})
    failed = sandbox.get(engine=ENGINE, **FIRST)
    assert (failed.status_code, content in failed.text) == (status, True)
    look_up(sandbox, **FIRST)
    assert sandbox.stats() == {"requests": 2, "billed": 1, "cached": 0, "failed": 1}


@pytest.mark.parametrize("kind", ["empty_page_with_token", "broken_rows"])
def test_faults_of_rows_spare_details_and_wait_for_a_list(sandbox: Client, kind: str) -> None:
    whole = look_up(sandbox, **FIRST)["ad_creatives"]
    listed = sandbox.search(advertiser_id=NEW_BALANCE)["ad_creatives"]
    sandbox.switch_on({"kind": kind, "times": 1})
    assert look_up(sandbox, **FIRST)["ad_creatives"] == whole
    assert sandbox.search(advertiser_id=NEW_BALANCE)["ad_creatives"] != listed


def test_used_up_searches_give_429() -> None:
    with visit(SandboxSettings(monthly_quota=1)) as client:
        look_up(client, **SAVAGE)
        response = client.get(engine=ENGINE, **WITHOUT_RESULTS)
        assert response.status_code == 429
        look_up(client, **SAVAGE)  # from the cache, which stays free


def test_the_home_page_names_details_and_changes(sandbox: Client) -> None:
    page = sandbox.http.get("/").text
    assert f"engine={ENGINE}" in page
    assert "/sandbox/changes" in page
