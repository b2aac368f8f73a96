"""Proxies of a shell: services are asked through them, what runs on this machine never is."""

import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from adspark.errors import ConfigurationError
from deployments.environment.shell import prepare_process

ASK = """
import asyncio, sys
from pydantic import SecretStr
from adspark.serpapi.client import SerpApiClient
from deployments.environment.shell import prepare_process
prepare_process()
async def ask(url):
    async with SerpApiClient(SecretStr("sandbox-key"), base_url=url) as client:
        print((await client.account()).total_searches_left)
for url in sys.argv[1:]:
    asyncio.run(ask(url))
"""


def pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


class Proxy(socketserver.ThreadingTCPServer):
    """A SOCKS 5 and HTTP proxy for which every address is the sandbox."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.port = port
        self.asked: list[str] = []


class Connection(socketserver.BaseRequestHandler):
    """One connection through it."""

    server: Proxy

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.port)) as target:
            if self.request.recv(1, socket.MSG_PEEK) == b"\x05":
                self._greet()
            else:
                method, url, rest = self.request.recv(65536).split(b" ", 2)
                address = urlsplit(url.decode())
                self.server.asked.append(str(address.hostname))
                asked = f"{address.path}?{address.query}".encode()
                target.sendall(b" ".join((method, asked, rest)))
            threading.Thread(target=pump, args=(target, self.request), daemon=True).start()
            pump(self.request, target)

    def _greet(self) -> None:
        _, methods = self.request.recv(2)
        self.request.recv(methods)
        self.request.sendall(b"\x05\x00")
        kind = self.request.recv(4)[3]
        host = self.request.recv(4 if kind == 1 else self.request.recv(1)[0])
        self.request.recv(2)
        self.server.asked.append(socket.inet_ntoa(host) if kind == 1 else host.decode())
        self.request.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")


@contextmanager
def proxy_to(url: str) -> Iterator[Proxy]:
    with Proxy(urlsplit(url).port or 80) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield proxy
        proxy.shutdown()


def ask(*urls: str, **exported: str) -> list[str]:
    """What a program with these variables is told by SerpApi's account at each address."""
    shell = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()} | exported
    done = subprocess.run(
        [sys.executable, "-c", ASK, *urls], env=shell, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("ALL_PROXY", "socks5"), ("all_proxy", "socks5h"), ("HTTP_PROXY", "http")],
)
def test_a_service_is_asked_through_the_proxy_and_a_server_of_this_machine_is_not(
    sandbox_url: str, name: str, scheme: str
) -> None:
    port = urlsplit(sandbox_url).port
    here = [f"http://{host}:{port}" for host in ("127.0.0.1", "localhost")]
    with proxy_to(sandbox_url) as proxy:
        exported = {name: f"{scheme}://127.0.0.1:{proxy.server_address[1]}"}
        # Nobody has this address but the proxy.
        told = ask(*here, f"http://192.0.2.7:{port}", **exported)
        assert [int(one) > 0 for one in told] == [True] * 3
        assert proxy.asked == ["192.0.2.7"]


@pytest.mark.parametrize("proxy", ["socks://127.0.0.1:1", "socks4://127.0.0.1:1", "nonsense://x"])
def test_a_proxy_that_no_client_can_use_is_named(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(ConfigurationError, match="ALL_PROXY: not a proxy's address"):
        prepare_process()
