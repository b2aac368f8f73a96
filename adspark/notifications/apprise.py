"""Send a message to an address of Apprise: mail, chat, push or webhook."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apprise import Apprise, NotifyBase, NotifyFormat
from apprise.attachment.memory import AttachMemory
from apprise.common import OverflowMode
from apprise.plugins.email import base as mail
from pydantic import SecretStr

from adspark.errors import (
    AdSparkError,
    ConfigurationError,
    DeliveryUnknownError,
    ServiceRefusedError,
    ServiceUnavailableError,
)
from adspark.net.exchange import Exchange
from adspark.net.mail_replies import noted_mail
from adspark.net.webhook_responses import bounded_webhooks
from adspark.notifications.mail_text import write_mail_text
from adspark.notifications.message import Block, read_plain
from adspark.notifications.services import Chunk, schemas_of, write_message
from adspark.text.redaction import remember, secret_parts

# Of a service that answers later nobody knows whether it took the message.
_TIMEOUT = 30.0  # seconds; Apprise's own is 4
_SEND_TIMEOUT = 120.0  # seconds for a message, whose response may come byte by byte
# Where Apprise's services keep what one address names: addressees, channels, rooms, topics.
_TARGET_LISTS = ("targets", "topics", "channels", "rooms", "users", "groups", "devices")
# Services that show one format, whatever an address names.
_FORMATS = {"slack": NotifyFormat.MARKDOWN, "tgram": NotifyFormat.HTML}
# Apprise calls these by the format that they get.
_WEBHOOKS = frozenset({"json", "xml", "form"})


# With what Apprise makes the plain text of mail that has a page.
vars(mail)["convert_between"] = lambda _from, _to, body: write_mail_text(body)

# Apprise logs addresses, and its HTTP library their paths, in which webhooks have their tokens.
for _name in ("apprise", "urllib3.connectionpool", "requests_oauthlib.oauth1_session"):
    logging.getLogger(_name).addFilter(lambda _: False)


def is_address(address: SecretStr) -> bool:
    """Whether Apprise understands the address; sends nothing."""
    return _service(address) is not None


@dataclass(frozen=True)
class Receiver:
    """Who gets one request: an address as a whole, or a target of it, as a channel."""

    address: SecretStr
    target: str | None = None


def list_receivers(address: SecretStr) -> list[Receiver]:
    """The receivers of an address, so that one that fails is retried without the others.

    An address whose service sends to all of its targets at once is one receiver.
    """
    service = _service(address)
    targets = {} if service is None else _targets(service)
    if service is None or len(targets) < 2 or len(targets) != len(service):
        return [Receiver(address)]
    return [Receiver(address, name) for name in sorted(targets)]


def write_chunks(receiver: Receiver, *, subject: str, blocks: Sequence[Block]) -> list[Chunk]:
    """A message as the receiver's service shows it, in its own mark-up; sends nothing.

    Args:
        receiver: of the message.
        subject: text on one line.
        blocks: the body.

    Raises:
        ConfigurationError: Apprise does not understand the address.
        ServiceUnavailableError: nothing is left of the message.
    """
    service = _open(receiver)
    chunks = write_message(service, subject=subject, blocks=blocks)
    if not chunks:
        raise ServiceUnavailableError(f"{_spoken_name(service)} makes nothing of the message")
    return chunks


async def send_chunk(
    receiver: Receiver, chunk: Chunk, pictures: Mapping[str, bytes] | None = None
) -> None:
    """Send a chunk that was written for this receiver.

    Args:
        receiver: of the message.
        chunk: of it.
        pictures: that are attached, by their names.

    Raises:
        ConfigurationError: Apprise does not understand the address.
        ServiceUnavailableError: the service did not take it.
        ServiceRefusedError: nor would it a minute later.
        DeliveryUnknownError: it may have taken it.
    """
    service = _open(receiver)
    post = service.send
    message: dict[str, object] = {"title": chunk.title, "body": chunk.body}
    if "slack" in schemas_of(service):
        # The chunk is mrkdwn already, which Apprise would escape, and then read mentions in it. Of
        # a body that was HTML it does neither, but translates it.
        vars(service)["_commonmark_to_slack"] = lambda body: body
        message["body_format"] = NotifyFormat.HTML
    # The chunk is in the service's mark-up already, and short enough: it is sent as it is.
    service.overflow_mode = OverflowMode.UPSTREAM
    if "mailto" in schemas_of(service):
        vars(service)["inline"] = True  # a picture is shown where the text names it

    exchange = Exchange()

    def send_bounded(**call: Any) -> bool:  # noqa: ANN401
        patience = service.socket_read_timeout
        with bounded_webhooks(exchange), noted_mail(exchange, patience=patience):
            return bool(post(**call | message))

    vars(service)["send"] = send_bounded
    sender = Apprise()
    sender.add(service)
    text = chunk.body or chunk.title
    try:
        async with asyncio.timeout(_SEND_TIMEOUT):
            is_taken = await sender.async_notify(
                body=text,
                body_format=service.notify_format,
                attach=[_attach(*one) for one in (pictures or {}).items()] or None,
            )
    except TimeoutError as error:
        raise DeliveryUnknownError(
            f"{_spoken_name(service)} did not answer within {_SEND_TIMEOUT:g} s"
        ) from error
    if not is_taken:
        problem = exchange.problem or "did not take the message"
        raise _kind_of(exchange)(f"{_spoken_name(service)} {problem}")


def _kind_of(exchange: Exchange) -> type[AdSparkError]:
    if exchange.is_unknown:
        return DeliveryUnknownError
    return ServiceRefusedError if exchange.is_refusal else ServiceUnavailableError


async def send(address: SecretStr, *, subject: str, body: str) -> None:
    """Deliver an alert; where the service bounds its length, in chunks.

    Args:
        address: of Apprise.
        subject: text on one line.
        body: untrusted text, in which only `code` and addresses are mark-up.

    Raises:
        ConfigurationError: Apprise does not understand the address.
        ServiceUnavailableError: the service did not take all of the message.
        ServiceRefusedError: nor would it a minute later.
        DeliveryUnknownError: it may have taken all of it.
    """
    receiver = Receiver(address)
    failure: AdSparkError | None = None
    for chunk in write_chunks(receiver, subject=subject, blocks=read_plain(body)):
        try:
            await send_chunk(receiver, chunk)
        except (ServiceUnavailableError, ServiceRefusedError, DeliveryUnknownError) as error:
            failure = error
    if failure is not None:
        raise failure


def _spoken_name(service: NotifyBase) -> str:
    """What a person calls the service."""
    schemas = schemas_of(service)
    if "mailto" in schemas:
        return "The mail server"
    return str(service.service_name) if _WEBHOOKS.isdisjoint(schemas) else "The webhook"


def _attach(name: str, content: bytes) -> AttachMemory:
    return AttachMemory(content, name=name, mimetype="image/webp")  # type: ignore[no-untyped-call]


def _open(receiver: Receiver) -> NotifyBase:
    service = _service(receiver.address)
    if service is None:
        raise ConfigurationError(
            "Apprise does not understand the address; correct it in ADSPARK_NOTIFY_ADDRESSES or "
            "its block: see https://github.com/caronc/apprise/wiki"
        )
    if receiver.target is not None:
        kind, target = _targets(service)[receiver.target]
        for other in _TARGET_LISTS:
            if isinstance(vars(service).get(other), list):
                vars(service)[other] = []
        vars(service)[kind] = [target]
    return service


def _targets(service: NotifyBase) -> dict[str, tuple[str, object]]:
    """The targets of a service, each with the list that it is in, by a stable name."""
    return {
        f"{kind} {target!r}": (kind, target)
        for kind in _TARGET_LISTS
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
