"""What clients of paid services have in common: addresses, keys, and time-outs that tell tales.

Whether a request was taken up decides whether it is paid, so who was not reached has to be told
from who does not answer.
"""

import httpx

from adspark.errors import ConfigurationError
from adspark.text.redaction import quote, remember_address

# What a proxy says that has passed the request on and does not know what became of it; from 520
# on they are Cloudflare's, 408 and 499 are said of connections that were given up.
PROXY_GUESSES = (408, 499, 502, 504, 520, 522, 524)
_CONNECT = 10.0  # seconds


def parse_base_url(variable: str, base_url: str) -> httpx.URL:
    """A base address that paths can be joined to.

    Args:
        variable: the setting that it comes from.

    Raises:
        ConfigurationError: it is none.
    """
    remember_address(base_url)
    try:
        address = httpx.URL(base_url.rstrip("/") + "/")
    except httpx.InvalidURL:
        address = httpx.URL("")
    if address.scheme not in ("http", "https") or not address.host:
        raise ConfigurationError(f"{variable}: {base_url!r} is not an http(s) address.")
    return address


def check_redirect(variable: str, response: httpx.Response) -> None:
    """Refuse an answer that sends elsewhere, for nothing is ever sent twice.

    Raises:
        ConfigurationError: names the setting and the other address.
    """
    if response.has_redirect_location:
        raise ConfigurationError(
            f"{variable}: {response.url.host} sends to another address, "
            f"{quote(response.headers['location'])!r} (HTTP {response.status_code}); use that."
        )


def host_of(address: httpx.URL) -> str:
    """host:port of an address."""
    return f"{address.host}:{address.port or (443 if address.scheme == 'https' else 80)}"


def fits_header(secret: str) -> bool:
    """Whether a key can be sent at all; what cannot would be quoted in the library's error."""
    return secret.isascii() and secret.isprintable() and " " not in secret


def timeouts(answer: float, *, lost_after: float) -> httpx.Timeout:
    """Time-outs by which a service that is not reached is told from one that does not answer.

    Args:
        answer: seconds between two bytes.
        lost_after: seconds after which the caller takes the answer for lost.
    """
    connect = min(_CONNECT, lost_after / 2)
    return httpx.Timeout(answer, connect=connect, pool=connect)
