"""Why a request to a webhook failed, in words that say nothing of its address.

The library's own words name host and path, in which webhooks have their tokens.
"""

import socket
import ssl
from collections.abc import Iterator

import requests
from urllib3.exceptions import NameResolutionError


def describe_failure(error: Exception, timeout: object, *, is_sent: bool) -> str:
    """What the service did, as the end of a sentence that begins with its name.

    Args:
        error: of the request.
        timeout: seconds that it had, as the library takes them: for all, or to connect and read.
        is_sent: whether the whole request had been sent.
    """
    connect, read = timeout if isinstance(timeout, tuple) else (timeout, timeout)
    causes = list(_causes(error))
    if is_sent:
        is_late = any(isinstance(one, requests.ReadTimeout) for one in causes)
        return describe_late(read) if is_late else "closed the connection unanswered"
    return describe_unsent(error, connect)


def describe_late(timeout: object) -> str:
    """The same of a service that did not answer within these seconds."""
    return f"did not answer{_within(timeout)}"


def describe_unsent(error: Exception, connect: object) -> str:
    """The same of what was not sent as a whole, though the connection had so many seconds."""
    causes = list(_causes(error))

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(one, kinds) for one in causes)

    if has(requests.exceptions.ProxyError):
        return "was not asked: the proxy of this machine did not let the request through"
    if has(requests.ConnectTimeout):
        return f"did not accept a connection{_within(connect)}"
    if has(ConnectionRefusedError):
        return "refused the connection"
    if has(NameResolutionError, socket.gaierror):
        return "has a host that is not known by its name"
    if has(ssl.SSLCertVerificationError):
        return "has a certificate that is not valid"
    if has(ssl.SSLError):
        return "does not speak TLS as it has to"
    if has(TimeoutError, requests.ReadTimeout):
        return f"did not take what was sent{_within(connect)}"
    return "cannot be reached, or closed the connection too early"


def describe_redirect(status: int) -> str:
    """The same of an answer that names another address."""
    return (
        f"answered {status}: its address redirects to another one, to which no message is sent on; "
        f"write the address that it leads to"
    )


def _within(seconds: object) -> str:
    return f" within {seconds:g} s" if isinstance(seconds, int | float) else " in time"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it was made of."""
    seen: list[BaseException] = []
    found: list[BaseException] = [error]
    while found:
        one = found.pop()
        if any(one is other for other in seen):
            continue
        seen.append(one)
        yield one
        inside = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
        found += [other for other in inside if isinstance(other, BaseException)]
