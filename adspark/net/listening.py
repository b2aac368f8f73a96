"""A listening socket for a server, opened before anything is announced."""

import errno
import socket
from contextlib import suppress

import psutil

from adspark.errors import ConfigurationError, InvalidQueryError

_BACKLOG = 2048  # connections


def open_listener(host: str, port: int, *, purpose: str, setting: str = "--port") -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Args:
        host: address of this machine, or a name of it.
        port: to listen on.
        purpose: what for, as "the gallery".
        setting: what holds the port: an option, a variable, or "one or the other".

    Raises:
        ConfigurationError: the port is taken, not for this account, or there is none such.
        InvalidQueryError: the host is no address of this machine.
    """
    family, address = _resolve(host)
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except OverflowError:
        listener.close()
        raise ConfigurationError(
            f"Port {port} for {purpose} is not from 0 to 65535; set {setting}."
        ) from None
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} for {purpose} is taken by {_find_holder(port)}; stop that, or set "
                f"{setting}."
            ) from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise ConfigurationError(
                f"Port {port} for {purpose} is not open to this account; set {setting} to one "
                "from 1024 on."
            ) from None
        raise _not_ours(host, str(error.strerror)) from None
    return listener


def web_address(host: str, port: int) -> str:
    """The address of a server, as `http://127.0.0.1:4280`."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _resolve(host: str) -> tuple[socket.AddressFamily, str]:
    """The family and the address of a host; IPv4 where it has both."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise _not_ours(host, getattr(error, "strerror", None) or "no name of a host") from None
    family, *_, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    return family, str(address[0])


def _not_ours(host: str, reason: str) -> InvalidQueryError:
    return InvalidQueryError(
        "--host",
        f"{host!r} is no address of this machine ({reason}); give one that is, such as 127.0.0.1.",
    )


def _find_holder(port: int) -> str:
    """Who has a local port: "python (pid 12)", "another program" where the system hides it."""
    with suppress(psutil.Error):
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or connection.laddr[1:2] != (port,):
                continue
            if connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return "another program"
