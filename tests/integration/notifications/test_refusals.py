"""Services that do not take a message: why is said, nothing is sent on, no token is told."""

import socket
from collections.abc import Iterable
from threading import Thread

import pytest
from pydantic import SecretStr

from adspark.errors import (
    AdSparkError,
    DeliveryUnknownError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from adspark.notifications.apprise import send
from benchmarks.ports import free_port
from tests.support.raw_server import serve_raw

TOKEN = "3ccdd113474722377935511fc85d3dd4"
# One of each way in which Apprise posts to a server of one's own.
SERVICES = {
    "json": "The webhook",
    "xml": "The webhook",
    "form": "The webhook",
    "mmost": "Mattermost",
    "gotify": "Gotify",
    "apprise": "Apprise API",
}


async def post(url: str, scheme: str = "json") -> None:
    """Send a message to a service at this address."""
    rest = url.partition("://")[2]
    await send(SecretStr(f"{scheme}://{rest}/{TOKEN}?rto=0.5"), subject="News", body="x")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", SERVICES)
async def test_an_address_that_redirects_gets_no_message_and_none_is_sent_on(
    scheme: str, status: int
) -> None:
    asked: list[bytes] = []

    def answer(head: bytes) -> Iterable[bytes]:
        asked.append(head.split()[1])
        where = b"Location: /landing\r\nContent-Length: 0\r\n\r\n"
        is_first = len(asked) == 1
        yield b"HTTP/1.1 %d Moved\r\n" % status + where if is_first else b"HTTP/1.1 200 OK\r\n\r\n"

    with serve_raw(answer) as url, pytest.raises(ServiceRefusedError) as failed:
        await post(url, scheme)
    said = str(failed.value)
    assert said.startswith(f"{SERVICES[scheme]} answered {status}: its address redirects")
    assert "write the address that it leads to" in said
    assert TOKEN not in said
    assert len(asked) == 1


@pytest.mark.parametrize(("scheme", "name"), SERVICES.items())
async def test_a_status_is_told(scheme: str, name: str) -> None:
    def answer(_: bytes) -> Iterable[bytes]:
        yield b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"

    with serve_raw(answer) as url, pytest.raises(ServiceUnavailableError) as failed:
        await post(url, scheme)
    assert str(failed.value) == f"{name} answered 500"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ServiceRefusedError),
        (403, ServiceRefusedError),
        (404, ServiceRefusedError),
        (410, ServiceRefusedError),
        (408, ServiceUnavailableError),
        (429, ServiceUnavailableError),
        (502, ServiceUnavailableError),
    ],
)
async def test_only_what_may_be_taken_a_minute_later_is_worth_a_retry(
    status: int, kind: type[AdSparkError]
) -> None:
    def answer(_: bytes) -> Iterable[bytes]:
        yield b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % status

    with serve_raw(answer) as url, pytest.raises(kind) as failed:
        await post(url)
    assert str(failed.value) == f"The webhook answered {status}"


async def test_a_service_that_is_not_there_is_told() -> None:
    with pytest.raises(ServiceUnavailableError) as failed:
        await post(f"http://127.0.0.1:{free_port()}")
    assert str(failed.value) == "The webhook refused the connection"


async def test_a_host_that_is_not_known_is_told_without_its_name() -> None:
    with pytest.raises(ServiceUnavailableError) as failed:
        await post(f"http://{TOKEN}.invalid")
    assert str(failed.value) == "The webhook has a host that is not known by its name"


async def test_of_a_service_that_does_not_answer_nobody_knows() -> None:
    silent = socket.create_server(("127.0.0.1", 0))  # its system accepts what is sent
    with silent, pytest.raises(DeliveryUnknownError) as failed:
        await post(f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert str(failed.value) == "The webhook did not answer within 0.5 s"


async def test_of_a_service_that_closes_the_connection_instead_nobody_knows_either() -> None:
    def answer(_: bytes) -> Iterable[bytes]:
        return []

    with serve_raw(answer) as url, pytest.raises(DeliveryUnknownError) as failed:
        await post(url)
    assert str(failed.value) == "The webhook closed the connection unanswered"


async def test_a_service_that_does_not_answer_the_greeting_has_no_message() -> None:
    """Nothing was sent yet, so it is tried again."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        address = f"jsons://127.0.0.1:{port}/{TOKEN}?rto=0.5&cto=0.5"
        with pytest.raises(ServiceUnavailableError) as failed:
            await send(SecretStr(address), subject="News", body="x")
    assert str(failed.value) == "The webhook did not take what was sent within 0.5 s"


async def test_a_service_that_speaks_no_tls_is_told() -> None:
    def greet() -> None:
        connection, _ = plain.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as plain:
        Thread(target=greet, daemon=True).start()
        address = f"jsons://127.0.0.1:{plain.getsockname()[1]}/{TOKEN}"
        with pytest.raises(ServiceUnavailableError) as failed:
            await send(SecretStr(address), subject="News", body="x")
    assert str(failed.value) == "The webhook does not speak TLS as it has to"
