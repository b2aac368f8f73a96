"""The task that sends what waits in the outbox."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pydantic import SecretStr

from adspark.db.engine import Database
from adspark.errors import AdSparkError, ServiceUnavailableError, describe_error
from adspark.models import Message
from adspark.notifications.apprise import Receiver, list_receivers, send_part, write_parts
from adspark.notifications.outbox import (
    MOST_ATTEMPTS,
    ack_message,
    claim_message,
    count_delivered,
    fix_parts,
    hash_receiver,
    nack_message,
)
from adspark.notifications.services import Part
from blocks.adspark_database import AdSparkDatabase
from blocks.digest_recipients import DigestRecipients
from orchestration.retry_policy import RETRIED


@task(**RETRIED, cache_policy=NO_CACHE)
async def deliver_messages(since: datetime) -> int:
    """Send part after part until none is left; a receiver that fails waits for another try.

    Returns:
        How many messages arrived since `since`, those of earlier tries included.
    """
    addresses = (await DigestRecipients.load_configured()).list_addresses()
    receivers = _by_key(addresses)
    waiting = list(receivers)
    failures: list[str] = []
    async with (await AdSparkDatabase.load_configured()).connect() as database:
        while message := await _claim(database, waiting):
            receiver = receivers[message.recipient]
            error = await _send_next(database, message, receiver)
            if error:
                waiting.remove(message.recipient)
                place = addresses.index(receiver.address) + 1
                failures.append(f"address {place} of {len(addresses)}{error}")
        async with database.session() as session:
            delivered = await count_delivered(session, since=since, recipients=list(receivers))
    get_run_logger().info("%d messages delivered, %d not", delivered, len(failures))
    if failures:
        raise ServiceUnavailableError(
            f"Not delivered, and kept for the next try, {MOST_ATTEMPTS} in all: "
            f"{'; '.join(failures)}. See whether the service is up, and whether its address (block "
            f"digest-recipients/adspark, or ADSPARK_NOTIFY_ADDRESSES) is still right."
        )
    return delivered


def _by_key(addresses: Sequence[SecretStr]) -> dict[str, Receiver]:
    """All receivers, and each address as a whole, as messages of before name it."""
    found = [one for address in addresses for one in (Receiver(address), *list_receivers(address))]
    return {hash_receiver(receiver): receiver for receiver in found}


async def _claim(database: Database, recipients: Sequence[str]) -> Message | None:
    async with database.session() as session:
        message = await claim_message(session, recipients=recipients)
        await session.commit()
    return message


async def _send_next(database: Database, message: Message, receiver: Receiver) -> str | None:
    """Send the next part of a claimed message and note what came of it.

    Returns:
        Which target and part was not delivered, and why; None where it was.
    """
    message_id, place = message.id or 0, message.parts_delivered
    parts: list[Part] = []
    try:
        parts = await _parts(database, message, receiver)
        await send_part(receiver, parts[place])
    except AdSparkError as error:
        async with database.session() as session:
            await nack_message(session, message_id=message_id, error=str(error))
            await session.commit()
        return f"{_label(receiver, place, parts)}: {error}"
    except Exception as error:  # whether it arrived is not known, so it is not sent again
        get_run_logger().exception("Message %d failed unforeseen", message_id)
        return f"{_label(receiver, place, parts)}: {describe_error(error)}"
    async with database.session() as session:
        await ack_message(session, message_id=message_id, part=place, parts=len(parts))
        await session.commit()
    return None


def _label(receiver: Receiver, place: int, parts: list[Part]) -> str:
    """Which receiver of its address, and which part; names are not told: they may be secrets."""
    part = f", part {place + 1} of {len(parts)}" if len(parts) > 1 else ""
    if receiver.target is None:
        return part
    others = list_receivers(receiver.address)
    return f", receiver {others.index(receiver) + 1} of {len(others)}{part}"


async def _parts(database: Database, message: Message, receiver: Receiver) -> list[Part]:
    """The message's parts, which are the same at every try."""
    if message.parts is not None:
        return [Part(**part) for part in message.parts]
    parts = write_parts(receiver, subject=message.subject, body=message.body)
    async with database.session() as session:
        await fix_parts(session, message_id=message.id or 0, parts=[asdict(one) for one in parts])
        await session.commit()
    return parts
