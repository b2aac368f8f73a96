"""Hand a message to an address: mail, chat, push or webhook, in the notation of Apprise."""

import logging

from apprise import Apprise, NotifyBase, NotifyFormat
from apprise.common import OverflowMode
from pydantic import SecretStr

from adspark.errors import ConfigurationError, ServiceUnavailableError

# A service that answers later than this may have taken the message, and would get it again.
_TIMEOUT = 30.0  # seconds; Apprise's own is 4


def _drop(_record: logging.LogRecord) -> bool:
    """Let no record pass: Apprise logs addresses, which are secrets. Errors come as exceptions."""
    return False


logging.getLogger("apprise").addFilter(_drop)


def is_address(address: SecretStr) -> bool:
    """Whether Apprise understands the address; asks nobody."""
    return _service(address) is not None


async def send(address: SecretStr, *, subject: str, body: str) -> None:
    """Deliver a message; where the service bounds its length, in parts.

    Args:
        body: Markdown, which Apprise turns into what the service shows.

    Raises:
        ConfigurationError: Apprise does not understand the address.
        ServiceUnavailableError: the service did not take the message.
    """
    service = _service(address)
    if service is None:
        raise ConfigurationError(
            "ADSPARK_NOTIFY_ADDRESSES: Apprise does not understand an address; "
            "see https://github.com/caronc/apprise/wiki"
        )
    sender = Apprise()
    sender.add(service)
    if not await sender.async_notify(body=body, title=subject, body_format=NotifyFormat.MARKDOWN):
        raise ServiceUnavailableError(f"{service.service_name} did not take the message")


def _service(address: SecretStr) -> NotifyBase | None:
    """The service behind an address, as Apprise knows it."""
    spelling = address.get_secret_value()
    service = Apprise.instantiate(spelling)
    if service is None:
        return None
    if "rto=" not in spelling:
        service.socket_read_timeout = _TIMEOUT
    if "overflow=" not in spelling and service.body_maxlen != NotifyBase.body_maxlen:
        service.overflow_mode = OverflowMode.SPLIT
    return service
