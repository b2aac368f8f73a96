"""What is not there is that by Prefect's own words only."""

from collections.abc import Iterable
from uuid import uuid4

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.exceptions import ObjectNotFound

from orchestration.runs.optional import read_optional
from tests.support.raw_server import serve_raw


def _refusal(kind: str, body: str) -> bytes:
    head = f"HTTP/1.1 404 Not Found\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}"
    return f"{head}\r\nConnection: close\r\n\r\n{body}".encode()


async def _read(answer: bytes) -> object:
    def give(_: bytes) -> Iterable[bytes]:
        return [answer]

    with serve_raw(give) as url:
        async with PrefectClient(f"{url}/api") as client:
            return await read_optional(client.read_flow_run(uuid4()))


async def test_prefects_server_says_that_there_is_no_such_run() -> None:
    assert await _read(_refusal("application/json", '{"detail":"Flow run not found"}')) is None


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain; charset=utf-8", "404 page not found"),
        ("text/html", "<h1>Not Found</h1>"),
        ("application/json", '{"message":"no Route matched with those values"}'),
        ("application/json", "{"),
    ],
)
async def test_a_proxy_before_a_server_that_is_being_replaced_does_not(
    kind: str, body: str
) -> None:
    with pytest.raises(ObjectNotFound):
        await _read(_refusal(kind, body))
