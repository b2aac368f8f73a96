"""Downloads from a server that does harm."""

import asyncio
import gzip
import logging
import zlib
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from adspark.errors import AdSparkError, ServiceUnavailableError, UnusableContentError
from adspark.net.addresses import AddressRules
from adspark.net.decompression import choose_decoder
from adspark.net.downloads import ByteBudget, Downloader
from tests.support.hostile_pages import (
    HostileServer,
    count_visitors,
    draw,
    read_visits,
    serve_hostile,
)
from tests.support.raw_server import serve_raw

MB = 1024 * 1024
ENDLESS = {"/trickle": 0.5}  # what never ends, and the seconds that it gets


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with serve_hostile() as made:
        yield made


@pytest.fixture
async def downloader(server: HostileServer) -> AsyncIterator[Downloader]:
    async with Downloader(AddressRules([server.host]), max_bytes=2 * MB) as made:
        yield made


async def test_a_download_has_content_type_and_final_address(
    server: HostileServer, downloader: Downloader
) -> None:
    download = await downloader.fetch(f"{server.url}/redirect?to=/picture")
    assert download.content == draw(60, 40)
    assert download.content_type == "image/png"
    assert download.url == f"{server.url}/picture"


@pytest.mark.parametrize("path", ["/packed", "/packed?pieces"])
async def test_a_packed_answer_is_unpacked(
    server: HostileServer, downloader: Downloader, path: str
) -> None:
    assert (await downloader.fetch(f"{server.url}{path}")).content == draw(60, 40)


@pytest.mark.parametrize("size", [1, 7, 10_000])
async def test_a_packed_answer_is_unpacked_however_its_bytes_arrive(size: int) -> None:
    content = draw(60, 40)
    packed = gzip.compress(content[:90]) + gzip.compress(content[90:]) + b"\0\0\x1f\x8b"
    decoder = choose_decoder("gzip", "x")
    chunks = (packed[at : at + size] for at in range(0, len(packed), size))
    assert b"".join(decoder.decompress_at_most(chunk, MB) for chunk in chunks) == content
    assert decoder.is_complete


@pytest.mark.parametrize("path", ["/packed", "/packed?pieces"])
async def test_a_packed_answer_that_breaks_off_is_a_temporary_failure_wherever_it_does(
    server: HostileServer, downloader: Downloader, path: str
) -> None:
    """All of its bytes have arrived, by its length; only the packing tells that more belong."""
    middle = len(gzip.compress(draw(60, 40)[: len(draw(60, 40)) // 2]))
    joint = "&" if "?" in path else "?"
    cuts = {"in the header": 5, "before anything": 10, "in the middle": 60}
    cuts |= {"in the second piece": middle + 20} if "pieces" in path else {}
    length = len(gzip.compress(draw(60, 40)))
    cuts |= {} if "pieces" in path else {"in the checksum": length - 1}
    for kept in cuts.values():
        with pytest.raises(ServiceUnavailableError, match="broke off before its end"):
            await downloader.fetch(f"{server.url}{path}{joint}kept={kept}")


async def test_what_follows_a_packed_answer_is_left(
    server: HostileServer, downloader: Downloader
) -> None:
    pieces = gzip.compress(draw(60, 40)) + b"\0\0\0"

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(pieces)
        )

    transport = httpx.MockTransport(answer)
    async with Downloader(AddressRules([server.host]), transport=transport) as made:
        assert (await made.fetch(f"{server.url}/x")).content == draw(60, 40)


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
async def test_nothing_behind_the_end_of_a_packed_answer_is_read(packing: str) -> None:
    content = draw(60, 40)
    packed = gzip.compress(content) if packing == "gzip" else zlib.compress(content)
    sent = 0

    def answer(_head: bytes) -> Iterator[bytes]:
        nonlocal sent
        yield f"HTTP/1.1 200 OK\r\nContent-Encoding: {packing}\r\n\r\n".encode() + packed
        for _part in range(200):
            sent += MB
            yield bytes(MB)

    with serve_raw(answer) as url:
        async with Downloader(AddressRules([url.removeprefix("http://")])) as made:
            assert (await made.fetch(f"{url}/x")).content == content
    assert sent < 50 * MB


async def test_bytes_count_as_they_arrive_too(server: HostileServer) -> None:
    """Of what unpacks to nothing, and of what several downloads may have together."""
    blocks = zlib.compress(b"")[:2] + b"\0\0\0\xff\xff" * MB

    def answer(_: httpx.Request) -> httpx.Response:
        stream = httpx.ByteStream(blocks)
        return httpx.Response(200, headers={"content-encoding": "deflate"}, stream=stream)

    transport = httpx.MockTransport(answer)
    rules = AddressRules([server.host])
    async with Downloader(rules, max_bytes=2 * MB, transport=transport) as made:
        with pytest.raises(UnusableContentError, match="larger than 2 MB"):
            await made.fetch(f"{server.url}/x")
    async with Downloader(rules, transport=transport) as made:
        with pytest.raises(UnusableContentError, match="Together"):
            await made.fetch(f"{server.url}/x", byte_budget=ByteBudget(MB))


@pytest.mark.parametrize("encoding", ["aws-chunked", "none", "identity", "utf-8"])
async def test_names_of_no_packing_change_nothing(server: HostileServer, encoding: str) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        headers = {"content-encoding": encoding}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(draw(60, 40)))

    transport = httpx.MockTransport(answer)
    async with Downloader(AddressRules([server.host]), transport=transport) as made:
        assert (await made.fetch(f"{server.url}/x")).content == draw(60, 40)


async def test_no_connection_is_used_for_a_second_download(
    server: HostileServer, downloader: Downloader
) -> None:
    """It would be found again by its IP address, which another name may share."""
    ports = {(await downloader.fetch(f"{server.url}/peer")).content for _ in range(3)}
    assert len(ports) == 3


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("/status/400", UnusableContentError, "answered 400"),
        ("/status/403", UnusableContentError, "answered 403"),
        ("/status/404", UnusableContentError, "answered 404"),
        ("/status/410", UnusableContentError, "answered 410"),
        ("/status/304", UnusableContentError, "answered 304"),
        ("/status/408", ServiceUnavailableError, "answered 408"),
        ("/status/429", ServiceUnavailableError, "answered 429"),
        ("/status/500", ServiceUnavailableError, "answered 500"),
        ("/status/503", ServiceUnavailableError, "answered 503"),
        ("/empty", UnusableContentError, "is empty"),
        ("/big", UnusableContentError, "larger than 2 MB"),
        ("/big?declared", UnusableContentError, "larger than 2 MB"),
        ("/bomb.gz", UnusableContentError, "larger than 2 MB"),
        ("/brotli", UnusableContentError, "encoding 'br'"),
        ("/cut", ServiceUnavailableError, "could not be downloaded"),
        ("/trickle", ServiceUnavailableError, "did not arrive within 0.5 s"),
        ("/round", UnusableContentError, "redirects more than 5 times"),
        ("/redirect?to=http://10.0.0.1/x", UnusableContentError, "10.0.0.1 is a private address"),
        ("/redirect?to=http://169.254.169.254/", UnusableContentError, "private address"),
        ("/redirect?to=http://localhost:1/", UnusableContentError, "private address"),
        ("/redirect?to=file:///etc/passwd", UnusableContentError, "Only http and https"),
        ("/redirect?to=http://[x", UnusableContentError, "leads"),
    ],
)
async def test_a_failure_names_its_cause(
    server: HostileServer,
    downloader: Downloader,
    path: str,
    error: type[AdSparkError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        await downloader.fetch(f"{server.url}{path}", timeout=ENDLESS.get(path))


@pytest.mark.parametrize("path", ["/big", "/big?declared"])
async def test_a_body_that_is_too_large_is_not_read(
    server: HostileServer, downloader: Downloader, path: str
) -> None:
    with pytest.raises(UnusableContentError):
        await downloader.fetch(f"{server.url}{path}")
    await server.until_closed("/big")
    # What the system's buffers hold is sent too.
    assert server.sent["/big"] < 16 * MB


async def test_a_connection_that_is_refused_is_a_temporary_failure() -> None:
    async with Downloader(AddressRules(["127.0.0.1:1"])) as downloader:
        with pytest.raises(ServiceUnavailableError, match="could not be downloaded"):
            await downloader.fetch("http://127.0.0.1:1/x")


async def test_a_second_address_of_a_host_is_tried(server: HostileServer) -> None:
    name = server.host.replace("127.0.0.1", "localhost")  # ::1 as well, where nobody listens
    async with Downloader(AddressRules([name])) as downloader:
        assert (await downloader.fetch(f"http://{name}/picture")).content_type == "image/png"


async def test_a_private_address_is_never_connected_to() -> None:
    with count_visitors() as (private, visits):
        async with Downloader(AddressRules()) as downloader:
            with pytest.raises(UnusableContentError):
                await downloader.fetch(f"http://{private}/x")
        assert await read_visits(private, visits) == []


async def test_several_downloads_share_an_byte_budget(
    server: HostileServer, downloader: Downloader
) -> None:
    size = len(draw(60, 40))
    byte_budget = ByteBudget(2 * size)
    for _ in range(2):
        await downloader.fetch(f"{server.url}/picture", byte_budget=byte_budget)
    with pytest.raises(UnusableContentError, match="Together"):
        await downloader.fetch(f"{server.url}/picture", byte_budget=byte_budget)


async def test_no_query_reaches_a_log_or_a_message(
    server: HostileServer, downloader: Downloader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await downloader.fetch(f"{server.url}/picture?signature=secret")
    for path in ("/status/404", "/status/500", "/empty", "/trickle", "/round", "/cut"):
        with pytest.raises(AdSparkError) as caught:
            await downloader.fetch(
                f"{server.url}{path}?signature=secret", timeout=ENDLESS.get(path)
            )
        assert "secret" not in str(caught.value)
        assert path in str(caught.value)
    assert "secret" not in caplog.text


async def test_the_connection_goes_to_the_checked_ip_under_the_hosts_name() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=b"x", headers={"set-cookie": "a=b"})

    transport = httpx.MockTransport(answer)
    async with Downloader(AddressRules(["localhost:443"]), transport=transport) as downloader:
        for _ in range(2):
            download = await downloader.fetch("https://localhost/a?b=%2F")
    assert download.url == "https://localhost/a?b=%2F"
    for request in seen:
        assert request.url.host in ("127.0.0.1", "::1")
        assert request.url.query == b"b=%2F"
        assert request.headers["host"] == "localhost"
        assert request.headers["accept-encoding"] == "identity"
        assert request.extensions["sni_hostname"] == "localhost"
        assert "cookie" not in request.headers


async def test_a_cancelled_download_closes_its_connection(server: HostileServer) -> None:
    async with Downloader(AddressRules([server.host])) as downloader:
        task = asyncio.create_task(downloader.fetch(f"{server.url}/trickle"))
        while not server.sent["/trickle"]:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.until_closed("/trickle")
