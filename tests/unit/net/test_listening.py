"""A server's socket: what cannot be had is told with what to change, before anything is served."""

import os
import socket

import pytest

from adspark.errors import ConfigurationError
from adspark.net.listening import open_listener, web_address


@pytest.mark.parametrize(
    ("host", "port", "told"),
    [
        ("256.1.1.1", 0, r"--host: '256\.1\.1\.1' is no address of this machine \(Name or"),
        ("203.0.113.7", 0, r"--host: '203\.0\.113\.7' is no address of this machine \(Cannot"),
        ("", 0, "--host: '' is no address of this machine"),
        ("a..b", 0, r"--host: 'a\.\.b' is no address of this machine"),
        ("a\nb", 0, "such as 127.0.0.1"),
        ("127.0.0.1", 70_000, "Port 70000 for tests is not from 0 to 65535; set --port"),
    ],
)
def test_what_cannot_be_had_is_told_with_the_option(host: str, port: int, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as raised:
        open_listener(host, port, purpose="tests")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_taken_port_is_told_with_its_holder(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigurationError) as raised:
            open_listener(host, port, purpose="tests", setting="--port or A_PORT")
    assert f"Port {port} for tests is taken by " in str(raised.value)
    assert f"(pid {os.getpid()}); stop that, or set --port or A_PORT." in str(raised.value)


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "http://127.0.0.1:9"), ("::1", "http://[::1]:9")]
)
def test_an_address_is_one_that_browsers_take(host: str, address: str) -> None:
    assert web_address(host, 9) == address
