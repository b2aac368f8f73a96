"""The sandbox over HTTP, as a client of SerpApi sees it."""

import io
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from PIL import Image

from adspark.sandbox.serpapi.faults import Fault, FaultKind
from adspark.sandbox.serpapi.page_tokens import PageTokens
from adspark.sandbox.serpapi.query import Query
from adspark.sandbox.settings import SandboxSettings
from tests.support.sandbox_client import ENGINE, Client, Json, MovedClock, visit

LULULEMON = "AR01614014350098432001"
NEW_BALANCE = "AR04323445746671026177"
MAPIDIRECTIONS = "AR12707166228507000833"
FIRST, SECOND = "AR90000000000000000001", "AR90000000000000000002"
EMPTY = "AR00000000000000000000"


@pytest.fixture(scope="module")
def running(clock: MovedClock) -> Iterator[Client]:
    settings = SandboxSettings(
        clock=clock, generated_advertisers=2, creatives_per_advertiser=1_000_000
    )
    with visit(settings) as client:
        yield client


@pytest.mark.parametrize("size", ["1", "7", "40", "100"])
def test_paging_gives_every_row_once_in_order_and_ends(sandbox: Client, size: str) -> None:
    pages = list(sandbox.pages(advertiser_id=LULULEMON, num=size))
    rows = [row for page in pages for row in page["ad_creatives"]]
    moments = [row.get("last_shown", 0) for row in rows]
    assert len({row["ad_creative_id"] for row in rows}) == len(rows) == 41
    assert moments == sorted(moments, reverse=True)
    assert {page["search_information"]["total_results"] for page in pages} == {41}
    assert "serpapi_pagination" not in pages[-1]


def test_a_page_has_forty_rows_unless_asked_otherwise(sandbox: Client) -> None:
    first, last = sandbox.pages(advertiser_id=LULULEMON)
    assert (len(first["ad_creatives"]), len(last["ad_creatives"])) == (40, 1)


def test_the_next_address_leads_to_the_next_page_without_the_key(sandbox: Client) -> None:
    first, second = sandbox.pages(advertiser_id=LULULEMON)
    address = first["serpapi_pagination"]["next"]
    assert address.startswith(f"{sandbox.url}/search.json?")
    assert "sandbox-key" not in address
    found = sandbox.http.get(httpx.URL(address).copy_add_param("api_key", "sandbox-key")).json()
    assert found["ad_creatives"] == second["ad_creatives"]


@pytest.mark.parametrize(
    ("reason", "params"),
    [
        ("garbage", {"next_page_token": "garbage"}),
        ("another query's", {"region": "2840"}),
        ("another advertiser's", {"advertiser_id": NEW_BALANCE}),
    ],
)
def test_a_foreign_token_is_refused(sandbox: Client, reason: str, params: dict[str, str]) -> None:
    first = sandbox.search(advertiser_id=LULULEMON)
    token = first["serpapi_pagination"]["next_page_token"]
    response = sandbox.get(**({"advertiser_id": LULULEMON, "next_page_token": token} | params))
    assert response.status_code == 400, reason
    assert response.json()["error"].endswith("next_page_token parameter.")


def test_the_answer_has_the_contracts_keys(sandbox: Client) -> None:
    body = sandbox.search(advertiser_id=NEW_BALANCE, num="2")
    assert set(body) == {
        "search_metadata", "search_parameters", "search_information", "ad_creatives",
        "serpapi_pagination",
    }  # fmt: skip
    assert set(body["search_metadata"]) == {
        "id", "status", "json_endpoint", "created_at", "processed_at", "raw_html_file",
        "google_ads_transparency_center_url", "prettify_html_file", "total_time_taken",
        "sandbox", "notice",
    }  # fmt: skip
    assert body["search_metadata"]["created_at"] == "2026-08-12 23:30:00 UTC"
    assert body["search_parameters"] == {
        "engine": ENGINE, "advertiser_id": NEW_BALANCE, "num": "2",
    }  # fmt: skip


def test_addresses_lie_on_the_sandbox_but_for_the_public_page(sandbox: Client) -> None:
    rows = sandbox.search(advertiser_id=f"{NEW_BALANCE},{FIRST}", num="100")["ad_creatives"]
    for row in rows:
        for name in {"image", "link", "serpapi_details_link"} & row.keys():
            assert row[name].startswith(f"{sandbox.url}/")
        is_real = row["advertiser_id"] == NEW_BALANCE
        host = "https://adstransparency.google.com" if is_real else sandbox.url
        assert row["details_link"].startswith(f"{host}/advertiser/")


@pytest.mark.parametrize(
    ("reason", "params", "has_domain"),
    [
        ("by text", {"text": "hubspot.com"}, True),
        ("by advertiser", {"advertiser_id": "AR10072600183532683265"}, False),
        ("generated, by text", {"text": "sandbox-1.example"}, True),
        ("generated, by advertiser", {"advertiser_id": FIRST}, False),
    ],
)
def test_only_text_searches_name_the_domain(
    sandbox: Client, reason: str, params: dict[str, str], has_domain: bool
) -> None:
    rows = sandbox.search(**params)["ad_creatives"]
    assert rows, reason
    assert {"target_domain" in row for row in rows} == {has_domain}, reason


def test_no_results_is_a_billed_success_with_an_error_text(sandbox: Client) -> None:
    body = sandbox.search(advertiser_id=EMPTY)
    assert body["search_metadata"]["status"] == "Success"
    assert body["error"] == (
        "Google Ads Transparency Center hasn't returned any results for this search."
    )
    assert body["search_information"]["results_state"] == "Fully empty"
    assert "ad_creatives" not in body
    assert sandbox.account()["this_month_usage"] == 1


@pytest.mark.parametrize(
    ("reason", "params", "status", "message"),
    [
        ("neither advertiser nor text", {"advertiser_id": ""}, 400,
         "Missing query `advertiser_id` parameter."),
        ("ISO region", {"region": "US"}, 400, "Unsupported `US` region parameter."),
        ("region not served", {"region": "2643"}, 400, "Unsupported `2643` region parameter."),
        ("page of none", {"num": "0"}, 400,
         "`num` parameter must be an integer between 1 and 100."),
        ("page too large", {"num": "101"}, 400,
         "`num` parameter must be an integer between 1 and 100."),
        ("num no number", {"num": "ten"}, 400,
         "`num` parameter must be an integer between 1 and 100."),
        ("political anywhere", {"political_ads": "true"}, 400,
         "`political_ads` parameter requires `region` parameter."),
        ("no_cache with async", {"no_cache": "true", "async": "true"}, 400,
         "`no_cache` and `async` parameters can't be used together."),
        ("platform of ours", {"platform": "maps", "region": "2840"}, 400,
         "Unsupported `maps` platform parameter."),
        ("no key", {"api_key": ""}, 401,
         "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"),
        ("wrong key", {"api_key": "schlüssel"}, 401,
         "Invalid API key. Your API key should be here: https://serpapi.com/manage-api-key"),
        ("another engine", {"engine": "google"}, 400, "Unsupported `google` search engine."),
    ],
)  # fmt: skip
def test_parameters_are_refused_free_of_charge(
    sandbox: Client, reason: str, params: dict[str, str], status: int, message: str
) -> None:
    response = sandbox.get(**({"advertiser_id": NEW_BALANCE} | params))
    body = response.json()
    assert (response.status_code, body["error"]) == (status, message), reason
    assert body["sandbox"] is True
    assert sandbox.stats() == {"requests": 1, "billed": 0, "cached": 0, "failed": 1}


def test_a_repeat_within_the_hour_is_identical_and_free(sandbox: Client, clock: MovedClock) -> None:
    params = {"advertiser_id": MAPIDIRECTIONS, "num": "100"}
    first = sandbox.get(**params).content
    clock.now += timedelta(minutes=59)
    assert sandbox.get(**params).content == first
    assert sandbox.stats() == {"requests": 2, "billed": 1, "cached": 1, "failed": 0}
    clock.now += timedelta(minutes=1)
    assert sandbox.get(**params).content != first
    assert sandbox.account()["this_month_usage"] == 2


def test_no_cache_asks_and_pays_again(sandbox: Client) -> None:
    ids = [
        sandbox.search(advertiser_id=NEW_BALANCE, no_cache=flag)["search_metadata"]["id"]
        for flag in ("false", "true", "true", "false")
    ]
    assert len(set(ids)) == 3
    assert ids[3] == ids[2], "the freshest answer is the one that is kept"
    assert sandbox.stats()["billed"] == 3


def test_nonces_of_links_are_new_in_each_uncached_answer(sandbox: Client) -> None:
    def nonces(flag: str) -> list[str]:
        rows = sandbox.search(advertiser_id=MAPIDIRECTIONS, no_cache=flag)["ad_creatives"]
        queries = [parse_qs(urlsplit(row["link"]).query) for row in rows if "link" in row]
        return [q["htmlParentId"][0] + q["responseCallback"][0] for q in queries]

    fresh, cached, again = nonces("true"), nonces(""), nonces("true")
    assert fresh == cached
    assert not set(fresh) & set(again)
    assert len(set(fresh)) == len(fresh) > 0


def test_usage_is_counted_by_the_hour_and_by_the_month(sandbox: Client, clock: MovedClock) -> None:
    sandbox.search(advertiser_id=NEW_BALANCE)
    clock.now += timedelta(hours=1)
    sandbox.search(advertiser_id=LULULEMON)
    account = sandbox.account()
    assert (account["last_hour_searches"], account["this_hour_searches"]) == (1, 1)
    assert account["this_month_usage"] == 2
    assert account["total_searches_left"] == account["searches_per_month"] - 2
    clock.now += timedelta(days=30)
    assert sandbox.account()["this_month_usage"] == 0


def test_the_account_needs_the_key_and_has_the_contracts_fields(sandbox: Client) -> None:
    assert sandbox.http.get("/account", params={"api_key": "wrong"}).status_code == 401
    assert set(sandbox.account()) == {
        "account_id", "api_key", "account_email", "plan_id", "plan_name", "plan_monthly_price",
        "searches_per_month", "plan_searches_left", "extra_credits", "total_searches_left",
        "this_month_usage", "last_hour_searches", "this_hour_searches",
        "account_rate_limit_per_hour", "sandbox", "notice",
    }  # fmt: skip


def test_used_up_searches_give_429_and_the_account_agrees() -> None:
    with visit(SandboxSettings(monthly_quota=1)) as client:
        client.search(advertiser_id=NEW_BALANCE)
        response = client.get(advertiser_id=LULULEMON)
        assert response.status_code == 429
        assert response.json()["error"] == "Your account has run out of searches."
        assert client.account()["total_searches_left"] == 0
        client.search(advertiser_id=NEW_BALANCE)  # from the cache, which stays free


def test_a_used_up_hour_gives_429_until_the_next() -> None:
    clock = MovedClock()
    with visit(SandboxSettings(clock=clock, hourly_limit=1)) as client:
        client.search(advertiser_id=NEW_BALANCE)
        response = client.get(advertiser_id=LULULEMON)
        assert response.status_code == 429
        assert "hourly throughput limit" in response.json()["error"]
        account = client.account()
        assert account["this_hour_searches"] >= account["account_rate_limit_per_hour"]
        assert account["total_searches_left"] > 0
        clock.now += timedelta(hours=1)
        client.search(advertiser_id=LULULEMON)


@pytest.mark.parametrize(
    ("kind", "status", "content"),
    [
        ("throughput_429", 429, '"error":"Your account has reached the hourly throughput limit'),
        ("quota_429", 429, '"error":"Your account has run out of searches."'),
        ("server_error_500", 500, '"error":"Internal Server Error'),
        ("unavailable_503", 503, '{"search_metadata":{"status":"Error"},"error"'),
        ("html", 200, "<!doctype html>"),
        ("cut_json", 200, '{"search_metadata":{"id":'),
    ],
)
def test_failing_answers_are_free_and_over_after_their_times(
    sandbox: Client, kind: str, status: int, content: str
) -> None:
    sandbox.switch_on({"kind": kind, "times": 1})
    failed = sandbox.get(advertiser_id=NEW_BALANCE)
    assert (failed.status_code, content in failed.text) == (status, True)
    if status == 200:
        with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
            failed.json()
    assert len(sandbox.search(advertiser_id=NEW_BALANCE)["ad_creatives"]) == 40
    assert sandbox.stats() == {"requests": 2, "billed": 1, "cached": 0, "failed": 1}


@pytest.mark.parametrize(
    ("kind", "left", "throttled"), [("quota_429", 0, False), ("throughput_429", 100_000, True)]
)
def test_the_account_agrees_with_a_429_until_a_search_succeeds(
    sandbox: Client, kind: str, left: int, throttled: bool
) -> None:
    def shown() -> tuple[int, bool]:
        account = sandbox.account()
        is_throttled = account["this_hour_searches"] >= account["account_rate_limit_per_hour"]
        return account["total_searches_left"], is_throttled

    sandbox.switch_on({"kind": kind, "times": 1})
    assert shown() == (100_000, False), "nothing has happened yet"
    assert sandbox.get(advertiser_id=NEW_BALANCE).status_code == 429
    assert shown() == (left, throttled)
    sandbox.search(advertiser_id=NEW_BALANCE)
    assert shown() == (99_999, False)


def test_reset_drops_the_connection_without_an_answer(sandbox: Client) -> None:
    sandbox.switch_on({"kind": "reset", "times": 1})
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        sandbox.get(advertiser_id=NEW_BALANCE)
    sandbox.search(advertiser_id=NEW_BALANCE)
    assert sandbox.stats()["billed"] == 1


def test_hang_never_answers(sandbox: Client) -> None:
    sandbox.switch_on({"kind": "hang", "times": 1})
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.get(
            "/search",
            params={"engine": ENGINE, "api_key": "sandbox-key", "advertiser_id": NEW_BALANCE},
            timeout=0.2,
        )
    sandbox.search(advertiser_id=NEW_BALANCE)


def test_hang_with_seconds_drops_the_connection_after_them(sandbox: Client) -> None:
    sandbox.switch_on({"kind": "hang", "times": 1, "seconds": 0.2})
    start = time.monotonic()
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        sandbox.get(advertiser_id=NEW_BALANCE)
    assert time.monotonic() - start >= 0.2


def test_a_sandbox_stops_while_an_answer_hangs() -> None:
    failures: list[httpx.TransportError] = []

    def ask(url: str) -> None:
        client = Client(url)
        with client.http:
            try:
                client.get(advertiser_id=NEW_BALANCE)
            except httpx.TransportError as error:
                failures.append(error)

    with visit(SandboxSettings(faults=(Fault(kind=FaultKind.HANG),))) as client:
        thread = threading.Thread(target=ask, args=(client.url,))
        thread.start()
        while client.stats()["requests"] == 0:
            time.sleep(0.01)
    thread.join(timeout=60)
    assert len(failures) == 1


def test_latency_delays_a_good_answer(sandbox: Client) -> None:
    sandbox.switch_on({"kind": "latency", "seconds": 0.3})
    start = time.monotonic()
    sandbox.search(advertiser_id=NEW_BALANCE)
    assert time.monotonic() - start >= 0.3


def test_an_empty_page_names_a_next_one_and_a_repeat_is_whole_and_free(sandbox: Client) -> None:
    sandbox.switch_on({"kind": "empty_page_with_token", "times": 1})
    empty = sandbox.search(advertiser_id=LULULEMON)
    assert empty["ad_creatives"] == []
    assert empty["serpapi_pagination"]["next_page_token"]
    assert len(sandbox.search(advertiser_id=LULULEMON)["ad_creatives"]) == 40
    assert sandbox.stats()["billed"] == 1


def test_duplicates_repeat_rows_of_the_page_before_and_lose_none(sandbox: Client) -> None:
    whole = sandbox.search(advertiser_id=LULULEMON, num="100")["ad_creatives"]
    sandbox.switch_on({"kind": "duplicates"})
    pages = [page["ad_creatives"] for page in sandbox.pages(advertiser_id=LULULEMON, num="10")]
    ids = [{row["ad_creative_id"] for row in page} for page in pages]
    assert all(before & after for before, after in pairwise(ids))
    assert set().union(*ids) == {row["ad_creative_id"] for row in whole}


def test_broken_rows_stand_among_whole_ones(sandbox: Client) -> None:
    whole = sandbox.search(advertiser_id=NEW_BALANCE)["ad_creatives"]
    sandbox.switch_on({"kind": "broken_rows"})
    rows = sandbox.search(advertiser_id=NEW_BALANCE)["ad_creatives"]
    broken = [row for row, original in zip(rows, whole, strict=True) if row != original]
    assert len(broken) == 14
    assert any(not isinstance(row, dict) for row in broken)
    objects = [row for row in broken if isinstance(row, dict)]
    assert any("ad_creative_id" not in row for row in objects)
    assert any(row["format"] == "hologram" for row in objects)


@pytest.mark.parametrize(
    ("reason", "faults"),
    [
        ("unknown kind", [{"kind": "earthquake"}]),
        ("unknown field", [{"kind": "html", "colour": "red"}]),
        ("chance above 1", [{"kind": "html", "probability": 2}]),
        ("seconds of a kind that takes none", [{"kind": "html", "seconds": 1}]),
        ("no list", {"kind": "html"}),
    ],
)
def test_faults_that_make_no_sense_are_refused(
    sandbox: Client, reason: str, faults: list[Json] | Json
) -> None:
    assert sandbox.http.put("/sandbox/faults", json=faults).status_code == 422, reason
    assert sandbox.http.get("/sandbox/faults").json() == []


def test_faults_are_shown_replaced_and_reset_to_those_of_the_start() -> None:
    with visit(SandboxSettings(faults=(Fault(kind=FaultKind.HTML, after=3),))) as client:
        at_start = client.http.get("/sandbox/faults").json()
        assert at_start == [{"kind": "html", "probability": 1.0, "after": 3}]
        client.switch_on()
        assert client.http.get("/sandbox/faults").json() == []
        client.search(advertiser_id=NEW_BALANCE)
        assert client.http.post("/sandbox/reset").json()["requests"] == 0
        assert client.http.get("/sandbox/faults").json() == at_start
        client.search(advertiser_id=NEW_BALANCE)
        assert client.stats()["cached"] == 0, "the cache is emptied too"


@pytest.mark.parametrize("advertiser", [NEW_BALANCE, "AR10072600183532683265", FIRST])
def test_pictures_have_the_recorded_size(sandbox: Client, advertiser: str) -> None:
    rows = sandbox.search(advertiser_id=advertiser, num="100")["ad_creatives"]
    for row in [row for row in rows if "image" in row][:12]:
        response = sandbox.http.get(row["image"])
        assert response.headers["content-type"] == "image/png"
        picture = Image.open(io.BytesIO(response.content))
        picture.load()
        assert picture.size == (row.get("width", 380), row.get("height", 200))
        assert sandbox.http.get(row["image"]).content == response.content


def test_a_picture_that_no_ad_has_is_not_found(sandbox: Client) -> None:
    response = sandbox.http.get("/archive/simgad/12345")
    assert response.status_code == 404
    assert response.json()["sandbox"] is True


def test_the_preview_script_uses_the_names_of_its_address(sandbox: Client) -> None:
    rows = sandbox.search(advertiser_id=MAPIDIRECTIONS)["ad_creatives"]
    row = next(row for row in rows if "link" in row)
    names = parse_qs(urlsplit(row["link"]).query)
    response = sandbox.http.get(row["link"])
    assert response.headers["content-type"].startswith("text/javascript")
    for part in (names["htmlParentId"][0], names["responseCallback"][0], row["ad_creative_id"]):
        assert f'"{part}"' in response.text
    assert "SANDBOX" in response.text


@pytest.mark.parametrize("name", ["", "a b", "a'b", "</script>", "a\n"])
def test_the_preview_script_takes_plain_names_only(sandbox: Client, name: str) -> None:
    rows = sandbox.search(advertiser_id=MAPIDIRECTIONS)["ad_creatives"]
    link = httpx.URL(next(row["link"] for row in rows if "link" in row))
    response = sandbox.http.get(link.copy_set_param("responseCallback", name))
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("/", "SANDBOX"),
        ("/health", '"sandbox":true'),
        ("/account.json?api_key=sandbox-key", '"sandbox":true'),
        ("/account.json", '"sandbox":true'),
        ("/search?api_key=sandbox-key", '"sandbox":true'),
        ("/nowhere", '"sandbox":true'),
        (f"/search?api_key=sandbox-key&engine={ENGINE}&advertiser_id={EMPTY}", '"sandbox":true'),
        (f"/advertiser/{FIRST}/creative/CR90000001000000000000", "SANDBOX"),
        ("/sandbox/stats", ""),
    ],
)
def test_every_answer_says_that_it_is_the_sandbox(sandbox: Client, path: str, mark: str) -> None:
    response = sandbox.http.get(path)
    assert response.headers["x-adspark-sandbox"] == "true"
    assert mark in response.text


@pytest.mark.parametrize(
    ("reason", "query", "params"),
    [
        ("one advertiser", Query((FIRST,)), {}),
        ("two, merged", Query((FIRST, SECOND)), {}),
        ("filtered", Query((FIRST,), region="2840", creative_format="text"),
         {"region": "2840", "creative_format": "text"}),
    ],
)  # fmt: skip
def test_a_page_deep_in_a_million_generated_ads_comes_at_once(
    sandbox: Client, reason: str, query: Query, params: dict[str, str]
) -> None:
    params = {"advertiser_id": ",".join(query.advertiser_ids), "num": "100"} | params
    total = sandbox.search(**params)["search_information"]["total_results"]
    token = PageTokens(SandboxSettings().seed).make(query, total - 150)
    start = time.process_time()  # the sandbox is in this process
    first = sandbox.search(**params)
    seconds_of_first = time.process_time() - start
    start = time.process_time()
    pages = list(sandbox.pages(**params, next_page_token=token))
    assert time.process_time() - start < 40 * seconds_of_first, reason  # of 10,000 pages
    assert len(first["ad_creatives"]) == 100
    assert [len(page["ad_creatives"]) for page in pages] == [100, 50], reason


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_until_a_signal_and_leaves_cleanly(number: signal.Signals) -> None:
    command = [sys.executable, "-m", "adspark.sandbox", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        line = process.stdout.readline()
        url = next(word for word in line.split() if word.startswith("http://"))
        client = Client(url)
        with client.http:
            rows = client.search(advertiser_id=NEW_BALANCE)["ad_creatives"]
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""
    assert rows[0]["image"].startswith(url)
