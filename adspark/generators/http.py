"""What clients of paid services have in common: keys, addresses, time-outs.

Whether a request was accepted decides whether it is paid, so a service that was not reached has to
be distinguished from one that does not answer.
"""

from typing import Self

import httpx
from pydantic import SecretStr

from adspark.errors import ConfigurationError, InvalidCredentialsError
from adspark.net.addresses import parse_base_url
from adspark.net.bounded_responses import ACCEPT_ENCODING, MAX_BYTES_WITH_PICTURES, bound_responses
from adspark.text.redaction import quote, remember

# What a proxy says that has passed the request on and does not know what became of it; from 520
# on they are Cloudflare's, 408 and 499 are said of connections that were closed.
PROXY_GUESSES = (408, 499, 502, 504, 520, 522, 524)
_CONNECT = 10.0  # seconds


def check_key(key: SecretStr | None, *, service: str, setting: str) -> SecretStr:
    """A key without blanks around it, which is redacted from now on; empty where there is none.

    Args:
        key: as it was configured.
        service: whose it is, for the message.
        setting: where it is corrected.

    Raises:
        InvalidCredentialsError: it cannot be sent, and the library's error would quote it.
    """
    secret = key.get_secret_value().strip() if key else ""
    if not (secret.isascii() and secret.isprintable() and " " not in secret):
        raise InvalidCredentialsError(
            f"{service}'s key holds a character that no key has; correct {setting}."
        )
    remember(secret)
    return SecretStr(secret)


class PaidServiceClient:
    """A client whose answers are bounded, and which gives up connecting before an answer is lost.

    Args:
        variable: the setting that the address comes from.
        base_url: that paths are joined to.
        key: sent as a bearer; empty for none.
        timeout: seconds between two bytes of an answer.
        lost_after: seconds after which the caller takes an answer for lost.
        transport: what carries the requests, for tests.

    Raises:
        ConfigurationError: the address is none.
    """

    def __init__(
        self,
        variable: str,
        base_url: str,
        *,
        key: SecretStr,
        timeout: float,
        lost_after: float,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        secret = key.get_secret_value()
        connect = min(_CONNECT, lost_after / 2)
        self._variable = variable
        self._http = httpx.AsyncClient(
            base_url=parse_base_url(variable, base_url),
            headers=ACCEPT_ENCODING | ({"Authorization": f"Bearer {secret}"} if secret else {}),
            timeout=httpx.Timeout(timeout, connect=connect, pool=connect),
            transport=transport,
            event_hooks=bound_responses(MAX_BYTES_WITH_PICTURES),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    @property
    def host(self) -> str:
        """host:port of the service."""
        address = self._http.base_url
        return f"{address.host}:{address.port or (443 if address.scheme == 'https' else 80)}"

    def _check_redirect(self, response: httpx.Response) -> None:
        """Raise ConfigurationError for an answer that sends elsewhere: nothing is sent twice."""
        if response.has_redirect_location:
            raise ConfigurationError(
                f"{self._variable}: {response.url.host} sends to another address, "
                f"{quote(response.headers['location'])!r} (HTTP {response.status_code}); use that."
            )
