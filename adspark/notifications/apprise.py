"""Hand a message to an address: mail, chat, push or webhook, in the notation of Apprise."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apprise import Apprise, NotifyBase, NotifyFormat
from apprise.common import OverflowMode
from pydantic import SecretStr

from adspark.errors import ConfigurationError, ServiceUnavailableError
from adspark.net.webhook_responses import bounded_webhooks
from adspark.notifications.message import Block, read_markdown, read_plain
from adspark.notifications.services import Part, schemas_of, write_message
from adspark.text.redaction import remember, secret_parts

# A service that answers later than this may have taken the message, and would get it again.
_TIMEOUT = 30.0  # seconds; Apprise's own is 4
_LONGEST = 120.0  # seconds for a message, whose answer may come byte by byte
# Where Apprise's services keep what one address names: addressees, channels, rooms, topics.
_TARGETS = ("targets", "topics", "channels", "rooms", "users", "groups", "devices")
# Services that show one format, whatever an address asks for.
_FORMATS = {"slack": NotifyFormat.MARKDOWN, "tgram": NotifyFormat.HTML}


def _drop(_record: logging.LogRecord) -> bool:
    """Let no record pass: Apprise logs addresses, which are secrets. Errors come as exceptions."""
    return False


# What it posts with logs the whole path of each request, in which webhooks have their tokens.
for _name in ("apprise", "urllib3.connectionpool", "requests_oauthlib.oauth1_session"):
    logging.getLogger(_name).addFilter(_drop)


def is_address(address: SecretStr) -> bool:
    """Whether Apprise understands the address; asks nobody."""
    return _service(address) is not None


@dataclass(frozen=True)
class Receiver:
    """Who gets a message by one post: an address, or one of those that an address names.

    Attributes:
        target: names one of the address's targets, such as a channel of a chat service; None where
            the address is posted to as a whole.
    """

    address: SecretStr
    target: str | None = None


def list_receivers(address: SecretStr) -> list[Receiver]:
    """The receivers of an address, so that one that fails is tried again without the others.

    An address whose service does not tell its targets apart is one receiver.
    """
    service = _service(address)
    targets = {} if service is None else _targets(service)
    if service is None or len(targets) < 2 or len(targets) != len(service):
        return [Receiver(address)]
    return [Receiver(address, name) for name in sorted(targets)]


def write_parts(receiver: Receiver, *, subject: str, body: str) -> list[Part]:
    """A message as the receiver's service shows it, in its own mark-up; posts nothing.

    Args:
        body: Markdown, in which text from outside is escaped.

    Raises:
        ConfigurationError: Apprise does not understand the address.
        ServiceUnavailableError: nothing is left of the message.
    """
    return _write(receiver, subject, read_markdown(body))


async def send_part(receiver: Receiver, part: Part) -> None:
    """Post a part that was written for this receiver.

    Raises:
        ConfigurationError: Apprise does not understand the address.
        ServiceUnavailableError: the service did not take it.
    """
    service = _open(receiver)
    post = service.send
    written = {"title": part.title, "body": part.body}
    own_format: dict[str, object] = {}
    if "slack" in schemas_of(service):
        # Its part is mrkdwn already. Apprise takes that for none, escapes it, and makes mentions of
        # what was escaped; of a body that was HTML it does neither, but translates it.
        vars(service)["_commonmark_to_slack"] = lambda body: body
        own_format = {"body_format": NotifyFormat.HTML}
    # The part is in the service's mark-up already, and short enough: it goes out as it is.
    service.overflow_mode = OverflowMode.UPSTREAM

    def send_bounded(**call: Any) -> bool:  # noqa: ANN401
        with bounded_webhooks():
            return bool(post(**call | written | own_format))

    vars(service)["send"] = send_bounded
    sender = Apprise()
    sender.add(service)
    text = part.body or part.title
    try:
        async with asyncio.timeout(_LONGEST):
            is_taken = await sender.async_notify(body=text, body_format=service.notify_format)
    except TimeoutError as error:
        raise ServiceUnavailableError(
            f"{service.service_name} did not answer within {_LONGEST:g} s"
        ) from error
    if not is_taken:
        raise ServiceUnavailableError(f"{service.service_name} did not take the message")


async def send(address: SecretStr, *, subject: str, body: str) -> None:
    """Deliver an alert; where the service bounds its length, in parts.

    Args:
        body: text in which only `code` and addresses are mark-up, since anybody may have written
            a part of it.

    Raises:
        ConfigurationError: Apprise does not understand the address.
        ServiceUnavailableError: the service did not take all of the message.
    """
    receiver = Receiver(address)
    failure: ServiceUnavailableError | None = None
    for part in _write(receiver, subject, read_plain(body)):
        try:
            await send_part(receiver, part)
        except ServiceUnavailableError as error:
            failure = error
    if failure is not None:
        raise failure


def _write(receiver: Receiver, subject: str, blocks: Sequence[Block]) -> list[Part]:
    service = _open(receiver)
    parts = write_message(service, subject=subject, blocks=blocks)
    if not parts:
        raise ServiceUnavailableError(f"{service.service_name} makes nothing of the message")
    return parts


def _open(receiver: Receiver) -> NotifyBase:
    service = _service(receiver.address)
    if service is None:
        raise ConfigurationError(
            "ADSPARK_NOTIFY_ADDRESSES: Apprise does not understand an address; "
            "see https://github.com/caronc/apprise/wiki"
        )
    if receiver.target is not None:
        kind, target = _targets(service)[receiver.target]
        for other in _TARGETS:
            if isinstance(vars(service).get(other), list):
                vars(service)[other] = []
        vars(service)[kind] = [target]
    return service


def _targets(service: NotifyBase) -> dict[str, tuple[str, object]]:
    """Each target of a service with the list that it stands in, by a name that stays the same."""
    return {
        f"{kind} {target!r}": (kind, target)
        for kind in _TARGETS
        if isinstance(listed := vars(service).get(kind), list)
        for target in listed
    }


def _service(address: SecretStr) -> NotifyBase | None:
    """The service behind an address, as Apprise knows it, with the format that it really shows."""
    spelling = address.get_secret_value()
    remember(*secret_parts(spelling))
    service = Apprise.instantiate(spelling)
    if service is None:
        return None
    if "rto=" not in spelling:
        service.socket_read_timeout = _TIMEOUT
    if "overflow=" not in spelling and service.body_maxlen != NotifyBase.body_maxlen:
        service.overflow_mode = OverflowMode.SPLIT
    for schema in schemas_of(service) & _FORMATS.keys():
        service.notify_format = _FORMATS[schema]
    return service
