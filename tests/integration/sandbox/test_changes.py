"""Changes to the sandbox's ads over HTTP, and what the cache makes of them."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest

from adspark.sandbox.settings import SandboxSettings
from tests.support.sandbox_client import Client, Json, MovedClock, visit

LULULEMON, LULULEMON_ADS = "AR01614014350098432001", 41
FIRST, FIRST_AD = "AR90000000000000000001", "CR90000001000000000000"
STRANGER, NEWCOMER = "AR00000000000000000007", "CR00000000000000000001"
REMOVED: Json = {"action": "remove", "ad_creative_id": FIRST_AD}
ADDED: Json = {
    "action": "add",
    "row": {
        "advertiser_id": STRANGER,
        "advertiser": "Stranger",
        "ad_creative_id": NEWCOMER,
        "format": "image",
        "image": "/archive/simgad/77",
        "target_domain": "stranger.example",
    },
}
ALTERED: Json = {
    "action": "alter",
    "ad_creative_id": FIRST_AD,
    "row": {"width": 17, "height": 18, "total_days_shown": None},
}


def change(client: Client, *changes: Json) -> None:
    response = client.http.put("/sandbox/changes", json=list(changes))
    assert (response.status_code, response.json()) == (200, list(changes))


def search_ids(client: Client, **params: str) -> list[str]:
    body = client.search(num="100", **params)
    return [row["ad_creative_id"] for row in body.get("ad_creatives", [])]


def test_the_changes_that_the_first_page_shows_can_be_made(sandbox: Client) -> None:
    page = unescape(sandbox.http.get("/").text)
    shown = [
        json.loads(body) for body in re.findall(r"/sandbox/changes -d \\\s+'(.*?)'", page, re.S)
    ]
    assert [one["action"] for (one,) in shown] == ["remove", "alter", "add"]
    for changes in shown:
        change(sandbox, *changes)


def test_changes_are_shown_replaced_and_taken_back(sandbox: Client) -> None:
    for changes in ([REMOVED, ADDED], [ALTERED], list[Json]()):
        change(sandbox, *changes)
        assert sandbox.http.get("/sandbox/changes").json() == changes
    change(sandbox, REMOVED)
    assert FIRST_AD not in search_ids(sandbox, advertiser_id=FIRST)
    sandbox.http.post("/sandbox/reset")
    assert sandbox.http.get("/sandbox/changes").json() == []
    assert FIRST_AD in search_ids(sandbox, advertiser_id=FIRST)


def test_an_added_ad_is_found_with_its_picture_and_page(sandbox: Client) -> None:
    change(sandbox, ADDED)
    for asked in ({"advertiser_id": STRANGER}, {"text": "stranger.example"}):
        (row,) = sandbox.search(**asked)["ad_creatives"]
        assert row["ad_creative_id"] == NEWCOMER
        assert row["image"] == f"{sandbox.url}/archive/simgad/77"
        assert sandbox.http.get(row["image"]).headers["content-type"] == "image/png"
    assert sandbox.http.get(f"/advertiser/{STRANGER}/creative/{NEWCOMER}").status_code == 200


def test_a_row_of_an_answer_can_be_added_under_another_id(sandbox: Client) -> None:
    rows = sandbox.search(advertiser_id=FIRST)["ad_creatives"]
    row = next(row for row in rows if "link" in row) | {"ad_creative_id": NEWCOMER}
    response = sandbox.http.put("/sandbox/changes", json=[{"action": "add", "row": row}])
    assert response.status_code == 200
    found = sandbox.search(advertiser_id=FIRST, num="100")["ad_creatives"]
    link = next(one["link"] for one in found if one["ad_creative_id"] == NEWCOMER)
    assert link.count("htmlParentId") == 1
    assert sandbox.http.get(link).status_code == 200


def test_an_altered_ad_is_drawn_anew(sandbox: Client) -> None:
    change(sandbox, ALTERED)
    rows = sandbox.search(advertiser_id=FIRST)["ad_creatives"]
    row = next(row for row in rows if row["ad_creative_id"] == FIRST_AD)
    assert (row["width"], row["height"], "total_days_shown" in row) == (17, 18, False)


def test_a_repeat_from_the_cache_is_the_answer_from_before_the_change(
    sandbox: Client, clock: MovedClock
) -> None:
    params = {"advertiser_id": FIRST}
    first = sandbox.get(**params).content
    change(sandbox, REMOVED)
    assert sandbox.get(**params).content == first
    change(sandbox, ALTERED)
    assert sandbox.get(**params).content == first
    assert sandbox.stats() == {"requests": 3, "billed": 1, "cached": 2, "failed": 0}
    change(sandbox, REMOVED)
    assert FIRST_AD not in search_ids(sandbox, **params, no_cache="true")
    clock.now += timedelta(hours=1)
    assert FIRST_AD not in search_ids(sandbox, **params)


@pytest.mark.parametrize(("seconds", "billed"), [(0, 3), (60, 2), (3600, 1)])
def test_searches_are_cached_for_as_long_as_the_settings_say(seconds: float, billed: int) -> None:
    clock = MovedClock()
    settings = SandboxSettings(clock=clock, generated_advertisers=1, cached_for=seconds)
    with visit(settings) as client:
        for wait in (0, 0, 60):
            clock.now += timedelta(seconds=wait)
            client.search(advertiser_id=FIRST)
        assert client.stats()["billed"] == billed
        change(client, REMOVED)
        assert (FIRST_AD in search_ids(client, advertiser_id=FIRST)) is False


def test_page_tokens_stay_valid_over_changes(sandbox: Client) -> None:
    first = sandbox.search(advertiser_id=LULULEMON, num="10")
    token = first["serpapi_pagination"]["next_page_token"]
    gone = first["ad_creatives"][0]["ad_creative_id"]
    change(sandbox, {"action": "remove", "ad_creative_id": gone})
    pages = list(sandbox.pages(advertiser_id=LULULEMON, num="10", next_page_token=token))
    rows = [row["ad_creative_id"] for page in pages for row in page["ad_creatives"]]
    assert len(set(rows)) == len(rows) == LULULEMON_ADS - 10 - 1, "all moved up by one"


@pytest.mark.parametrize(
    ("reason", "changes", "details"),
    [
        ("unknown action", [{"action": "hide", "ad_creative_id": FIRST_AD}], True),
        ("unknown field", [REMOVED | {"colour": "red"}], True),
        ("no list", REMOVED, True),
        ("an ad that there is not", [REMOVED | {"ad_creative_id": NEWCOMER}], False),
    ],
)
def test_changes_that_make_no_sense_are_refused_and_change_nothing(
    sandbox: Client, reason: str, changes: list[Json] | Json, details: bool
) -> None:
    change(sandbox, ADDED)
    change(sandbox, ALTERED)
    response = sandbox.http.put("/sandbox/changes", json=changes)
    assert response.status_code == 422, reason
    assert ("details" in response.json()) == details, reason
    assert response.json()["sandbox"] is True
    assert sandbox.http.get("/sandbox/changes").json() == [ALTERED], reason
