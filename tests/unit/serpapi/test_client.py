"""SerpApi's client: every answer of the contract, and a key that nobody sees."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    InvalidCredentialsError,
    QuotaExhaustedError,
    RateLimitedError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TemporaryError,
)
from adspark.serpapi.client import SerpApiClient, hash_token
from adspark.serpapi.payloads import SearchPage
from tests.support.factories import creative_row, query
from tests.support.raw_server import serve_raw
from tests.support.serpapi_answers import KEY, body, client

EMPTY = {
    "search_metadata": {"id": "s1", "status": "Success"},
    "search_information": {"results_state": "Fully empty"},
    "error": "Google Ads Transparency Center hasn't returned any results for this search.",
}


def account(**figures: int) -> httpx.Response:
    """The account's answer; it echoes the key."""
    return httpx.Response(200, json={"api_key": KEY, "account_email": "a@b.c", **figures})


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        pytest.param(400, {"error": "Unsupported `US` region"}, ServiceRefusedError, id="bad"),
        pytest.param(401, {"error": "Invalid API key."}, InvalidCredentialsError, id="bad key"),
        pytest.param(403, {"error": "Forbidden"}, ServiceRefusedError, id="forbidden"),
        pytest.param(404, {"error": "Not found"}, ServiceRefusedError, id="unknown"),
        pytest.param(410, {"error": "Expired"}, ServiceRefusedError, id="expired archive"),
        pytest.param(500, "oops", ServiceUnavailableError, id="their failure"),
        pytest.param(
            503, {"search_metadata": {"status": "Error"}}, ServiceUnavailableError, id="503"
        ),
        pytest.param(200, "<html>Sorry</html>", ServiceUnavailableError, id="a page of HTML"),
        pytest.param(200, json.dumps(body())[:40], ServiceUnavailableError, id="cut JSON"),
        pytest.param(200, [1, 2], ServiceUnavailableError, id="JSON that is no object"),
        pytest.param(200, {"error": "Failed to retrieve data."}, ServiceUnavailableError, id="no"),
        pytest.param(
            200,
            {"search_metadata": {"id": "s", "status": "Processing"}, "ad_creatives": []},
            ServiceUnavailableError,
            id="not done",
        ),
        pytest.param(
            200, {"search_metadata": {"id": "s", "status": "Success"}}, ServiceUnavailableError,
            id="neither ads nor an error",
        ),
    ],
)  # fmt: skip
async def test_every_failure_of_the_contract_has_its_kind(
    status: int,
    content: Any,  # noqa: ANN401
    error: type[AdSparkError],
) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        if isinstance(content, str):
            return httpx.Response(status, text=content)
        return httpx.Response(status, json=content)

    async with client(answer) as serpapi:
        with pytest.raises(error) as caught:
            await serpapi.fetch_page(query())
    assert KEY not in repr(caught.value)


@pytest.mark.parametrize(
    ("status", "content", "error", "message"),
    [
        pytest.param(203, body(), ServiceUnavailableError,
            "SerpApi answered with HTTP 203 instead of a result, without saying why.",
            id="changed by a proxy",
        ),
        pytest.param(204, None, ServiceUnavailableError,
            "SerpApi answered with HTTP 204 instead of a result, without saying why.",
            id="nothing",
        ),
        pytest.param(206, "[", ServiceUnavailableError,
            "SerpApi answered with HTTP 206 instead of a result, without saying why.",
            id="a part",
        ),
        pytest.param(302, None, ServiceUnavailableError,
            "SerpApi answered with HTTP 302 instead of a result, without saying why.",
            id="a redirect, as a network's sign-in gives it",
        ),
        pytest.param(408, None, ServiceUnavailableError,
            "SerpApi answered with HTTP 408 instead of a result, without saying why.",
            id="too slow",
        ),
        pytest.param(425, {"error": "Too early"}, ServiceUnavailableError,
            "SerpApi answered with HTTP 425 instead of a result: Too early", id="too early",
        ),
        pytest.param(403, {"error": {}}, ServiceRefusedError,
            "SerpApi refused the request (HTTP 403), without saying why.", id="no words",
        ),
        pytest.param(404, {"error": "Not found"}, ServiceRefusedError,
            "SerpApi refused the request (HTTP 404): Not found", id="words",
        ),
    ],
)  # fmt: skip
async def test_an_answer_that_is_no_result_is_named_and_temporary_unless_it_is_a_refusal(
    status: int,
    content: Any,  # noqa: ANN401
    error: type[AdSparkError],
    message: str,
) -> None:
    async with client(lambda _: httpx.Response(status, json=content)) as serpapi:
        with pytest.raises(error) as caught:
            await serpapi.fetch_page(query())
    assert str(caught.value) == message


async def test_an_answer_in_an_unknown_encoding_is_told_in_one_sentence() -> None:
    def answer(_: bytes) -> list[bytes]:
        return [b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nx"]

    with serve_raw(answer) as url:
        async with SerpApiClient(SecretStr(KEY), base_url=url) as serpapi:
            with pytest.raises(ServiceUnavailableError, match="encoding 'br'; check this"):
                await serpapi.fetch_page(query())


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        pytest.param(
            account(total_searches_left=0, account_rate_limit_per_hour=50),
            QuotaExhaustedError, "no searches are left", id="the month",
        ),
        pytest.param(
            account(total_searches_left=7, account_rate_limit_per_hour=50),
            RateLimitedError, r"\(50 an hour\)", id="the hour",
        ),
        pytest.param(account(), RateLimitedError, "hour's searches", id="figures left out"),
        pytest.param(httpx.Response(500), RateLimitedError, "cannot be fetched", id="no account"),
    ],
)  # fmt: skip
async def test_429_asks_the_account_whether_it_is_the_hour_or_the_month(
    told: httpx.Response, error: type[AdSparkError], message: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return told if request.url.path == "/account.json" else httpx.Response(429)

    async with client(answer) as serpapi:
        with pytest.raises(error, match=message):
            await serpapi.fetch_page(query())


async def _all_pages(serpapi: SerpApiClient) -> list[SearchPage]:
    """Page after page, as a fetch asks for them."""
    pages = [await serpapi.fetch_page(query())]
    seen: list[str] = []
    while token := pages[-1].next_page_token:
        seen.append(hash_token(token))
        pages.append(await serpapi.fetch_page(query(), token=token, seen_tokens=seen))
    return pages


async def test_no_results_is_an_empty_page_and_not_an_error() -> None:
    async with client(lambda _: httpx.Response(200, json=EMPTY)) as serpapi:
        pages = await _all_pages(serpapi)
    assert [(page.rows, page.next_page_token) for page in pages] == [([], None)]


async def pages_of(answers: dict[str | None, list[dict[str, Any]]]) -> tuple[list[int], int]:
    """Rows of each page and number of searches, where a token's answers come one after another."""
    asked = 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        left = answers[request.url.params.get("next_page_token")]
        return httpx.Response(200, json=left.pop(0) if len(left) > 1 else left[0])

    async with client(answer) as serpapi:
        return [len(page.rows) for page in await _all_pages(serpapi)], asked


@pytest.mark.parametrize(
    ("answers", "rows", "searches"),
    [
        pytest.param({None: [body(creative_row(1))]}, [1], 1, id="one page"),
        pytest.param(
            {None: [body(creative_row(1), token="a")], "a": [body(creative_row(2))]}, [1, 1], 2,
            id="two pages",
        ),
        pytest.param(
            {None: [body(creative_row(1), token="a")], "a": [body(token="b")]}, [1, 0], 4,
            id="an empty page that names a next one is the end, after two more tries",
        ),
        pytest.param(
            {None: [body(creative_row(1), token="a")],
             "a": [body(token="b"), body(creative_row(2))]},
            [1, 1], 3, id="an empty page that fills on the second try",
        ),
        pytest.param(
            {None: [body(creative_row(1), token="a")], "a": [EMPTY]}, [1, 0], 4,
            id="an empty page that was promised is asked for again without a next one too",
        ),
        pytest.param({None: [EMPTY]}, [0], 1, id="nothing found, and nothing promised"),
        pytest.param(
            {None: [body(creative_row(1), token="a")], "a": [body(creative_row(2), token="a")]},
            [1, 1], 2, id="a token that leads to itself",
        ),
        pytest.param(
            {None: [body(creative_row(1), token="a")], "a": [body(creative_row(2), token="b")],
             "b": [body(creative_row(3), token="c")], "c": [body(creative_row(4), token="b")]},
            [1, 1, 1, 1], 4, id="a cycle of two tokens",
        ),
        pytest.param(
            {None: [body({"broken": 1}, token="a")], "a": [body(creative_row(2))]}, [0, 1], 4,
            id="a page of broken rows is not an empty one",
        ),
        pytest.param(
            {None: [body(creative_row(1), {"broken": 1}), body(creative_row(1), creative_row(2))]},
            [2], 2, id="a page with broken rows that is whole on the second try",
        ),
    ],
)  # fmt: skip
async def test_pages_come_until_the_one_without_a_next(
    answers: dict[str | None, list[dict[str, Any]]], rows: list[int], searches: int
) -> None:
    assert await pages_of(answers) == (rows, searches)


async def test_an_empty_first_page_that_names_a_next_one_is_a_failure_and_not_an_end() -> None:
    with pytest.raises(ServiceUnavailableError, match="first page is empty"):
        await pages_of({None: [body(token="a"), body(token="a")]})


async def test_the_age_of_an_answer_is_told_by_serpapis_own_clock() -> None:
    headers = {"Date": "Wed, 12 Aug 2026 23:20:00 GMT"}
    async with client(lambda _: httpx.Response(200, json=body(), headers=headers)) as serpapi:
        page = await serpapi.fetch_page(query())
    assert page.searches[0].age == 307.0


@pytest.mark.parametrize(
    ("dates", "age"),
    [
        (["Wed, 12 Aug 2026 23:20:00 GMT", "Wed, 12 Aug 2026 23:25:00 GMT"], 307.0),
        (["Thu, 13 Aug 2026 01:20:00 +0200"], 307.0),
        (["Wed, 12 Aug 2026 23:20:00 -0000"], 307.0),
        (["Wed, 12 Aug 2026 20:20:00 GMT"], 0.0),
        (["yesterday"], 0.0),
        ([""], 0.0),
        ([], 0.0),
    ],
)
async def test_any_date_of_an_answer_is_read_or_passed_over(dates: list[str], age: float) -> None:
    headers = [("Date", date) for date in dates]
    async with client(lambda _: httpx.Response(200, json=body(), headers=headers)) as serpapi:
        page = await serpapi.fetch_page(query())
    assert page.searches[0].age == age


ODD = b'"htmlParentId", NaN, 1e999, "a\\u0000\\ud800"'
NESTED = b"[" * 900 + b"]" * 900


def as_sent(made: dict[str, Any], **values: bytes) -> bytes:
    """The body as bytes, with what `json` does not write in place of marks."""
    content = json.dumps(made).encode()
    for mark, value in values.items():
        content = content.replace(f'"{mark}"'.encode(), value)
    return content


@pytest.mark.parametrize(
    ("row", "good", "rejected"),
    [
        ({"width": "ODD"}, 2, 0),
        ({"width": "NESTED"}, 2, 0),
        ({"hologram": "NESTED"}, 2, 0),
        ({"last_shown": "NAN"}, 2, 0),
        ({"total_days_shown": "LONG"}, 2, 0),
        ({"format": "NAN"}, 1, 1),
        ({"ad_creative_id": "NESTED"}, 1, 1),
        ({"format": "hologram", "other": "NAN", "another": "NESTED"}, 1, 1),
    ],
)
async def test_one_odd_value_costs_no_other_row(
    row: dict[str, Any], good: int, rejected: int
) -> None:
    content = as_sent(
        body(creative_row(1), creative_row(2, **row)),
        ODD=b"[" + ODD + b"]", NESTED=NESTED, NAN=b"NaN", LONG=b"9" * 9999,
    )  # fmt: skip
    async with client(lambda _: httpx.Response(200, content=content)) as serpapi:
        page = await serpapi.fetch_page(query())
    assert (len(page.rows), len(page.rejected)) == (good, rejected)
    json.dumps([one.payload for one in page.rejected], allow_nan=False)


@pytest.mark.parametrize(
    ("pagination", "token", "broke_off"),
    [
        ({"next_page_token": "a"}, "a", False),
        ({"next_page_token": "a\x00b"}, None, True),
        ({"next_page_token": "\ud800"}, None, True),
        ({"next_page_token": 17}, None, True),
        ({"next_page_token": {"a": 1}}, None, True),
        ({"next_page_token": "a" * 100_000}, None, True),
        ({"next": "https://serpapi.com/search.json?next_page_token=a"}, None, True),
        ({"next_page_token": ""}, None, False),
        ({}, None, False),
        ("a", None, False),
    ],
)
async def test_a_next_page_that_cannot_be_asked_for_is_a_gap_and_no_end(
    pagination: object, token: str | None, broke_off: bool
) -> None:
    content = json.dumps(body(creative_row(1), serpapi_pagination=pagination))
    async with client(lambda _: httpx.Response(200, content=content)) as serpapi:
        page = await serpapi.fetch_page(query())
    assert (page.next_page_token, page.broke_off) == (token, broke_off)


async def test_ids_and_words_of_errors_hold_nothing_that_cannot_be_stored() -> None:
    odd = body(creative_row(1))
    odd["search_metadata"]["id"] = "s\x00\ud800" + "1" * 9999
    async with client(lambda _: httpx.Response(200, content=json.dumps(odd))) as serpapi:
        page = await serpapi.fetch_page(query())
    assert page.searches[0].id.startswith("s\ufffd\ufffd1")
    assert len(page.searches[0].id) == 200
    refused = json.dumps({"error": "a\x00b\ud800" + "c" * 9999})
    async with client(lambda _: httpx.Response(400, content=refused)) as serpapi:
        with pytest.raises(ServiceRefusedError) as caught:
            await serpapi.fetch_page(query())
    assert "a\ufffdb\ufffdccc" in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, b" " * (21 * 2**20),
        json.dumps(body() | {"ad_creatives": {"0": creative_row(1)}}).encode(),
        json.dumps(body() | {"ad_creatives": "many"}).encode(),
    ],
    ids=["open without end", "nested without end", "too large", "rows in an object", "no rows"],
)  # fmt: skip
async def test_garbage_of_any_shape_is_a_failure_of_the_service(content: bytes) -> None:
    async with client(lambda _: httpx.Response(200, content=content)) as serpapi:
        with pytest.raises(ServiceUnavailableError):
            await serpapi.fetch_page(query())


async def test_a_figure_of_the_account_that_is_none_costs_no_other() -> None:
    content = b'{"total_searches_left": 5, "plan_name": [1], "this_month_usage": NaN, '
    content += b'"this_hour_searches": "many", "account_rate_limit_per_hour": -1}'
    async with client(lambda _: httpx.Response(200, content=content)) as serpapi:
        told = await serpapi.account()
    assert told.model_dump(exclude_none=True) == {"total_searches_left": 5}


async def test_the_account_keeps_figures_and_not_the_key() -> None:
    async with client(lambda _: account(total_searches_left=5)) as serpapi:
        told = await serpapi.account()
    assert told.total_searches_left == 5
    assert KEY not in repr(told)


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_key_is_refused_at_once(key: str) -> None:
    with pytest.raises(InvalidCredentialsError, match="ADSPARK_SERPAPI_KEY"):
        SerpApiClient(SecretStr(key))


@pytest.mark.parametrize("address", ["serpapi.com", "ftp://serpapi.com", "http://", ""])
def test_an_address_that_is_none_is_refused_at_once(address: str) -> None:
    with pytest.raises(ConfigurationError, match="ADSPARK_SERPAPI_URL"):
        SerpApiClient(SecretStr(KEY), base_url=address)


class Wire:
    """A server on a real socket that answers as told, and remembers what it was asked."""

    def __init__(self, *, drip: bool = False) -> None:
        self.drip = drip
        self.connections = 0
        self.asked: list[str] = []

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        content = json.dumps(body(creative_row(1), token=f"t{len(self.asked)}")).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        try:
            while line := await reader.readline():
                self.asked.append(line.decode())
                while (await reader.readline()).strip():
                    pass
                writer.write(head)
                for byte in content if self.drip else ():
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.05)
                writer.write(b"" if self.drip else content)
        except ConnectionError:
            pass
        finally:
            writer.close()


async def test_the_deadline_is_for_the_whole_answer_not_for_each_byte() -> None:
    async with (
        Wire(drip=True).serving() as url,
        SerpApiClient(SecretStr(KEY), base_url=url, timeout=0.5) as serpapi,
    ):
        began = asyncio.get_running_loop().time()
        with pytest.raises(ServiceUnavailableError, match=r"within 0\.5 s"):
            await serpapi.fetch_page(query())
    assert asyncio.get_running_loop().time() - began < 3


async def test_a_service_that_is_not_there_is_a_temporary_error_that_names_it() -> None:
    async with SerpApiClient(SecretStr(KEY), base_url="http://127.0.0.1:9") as serpapi:
        with pytest.raises(TemporaryError, match=r"127\.0\.0\.1"):
            await serpapi.fetch_page(query())


async def test_pages_share_a_connection_and_only_the_wire_sees_the_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    wire = Wire()
    async with (
        wire.serving() as url,
        SerpApiClient(SecretStr(KEY), base_url=url) as serpapi,
    ):
        for token in (None, "a", "b"):
            await serpapi.fetch_page(query(), token=token)
    assert (wire.connections, len(wire.asked)) == (1, 3)
    assert all("api_key=k3y%26with%3Dodd" in line for line in wire.asked)
    assert "search.json" in caplog.text  # httpx logs requests
    assert "k3y" not in caplog.text
