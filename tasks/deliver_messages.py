"""The task that sends the messages in the outbox."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial

from prefect.logging import get_run_logger

from adspark.db.engine import Database
from adspark.errors import AdSparkError, ServiceUnavailableError, describe_error
from adspark.models import Message
from adspark.notifications.apprise import Receiver, list_receivers, send_chunk, write_chunks
from adspark.notifications.message import read_markdown
from adspark.notifications.outbox import (
    MOST_ATTEMPTS,
    ack_message,
    claim_message,
    count_delivered,
    nack_message,
    receivers_by_hash,
    save_chunks,
)
from adspark.notifications.pictures import read_pictures
from adspark.notifications.services import Chunk
from adspark.settings import get_settings, media_url
from adspark.text.sentences import without_full_stop
from blocks.adspark_database import connect_database
from blocks.digest_recipients import DigestRecipients
from orchestration.limits.retry_policy import retried_task


@retried_task()
async def deliver_messages(since: datetime) -> int:
    """Send chunk after chunk until none is left; a receiver that fails waits for a retry.

    Returns how many messages were delivered since `since`, those of earlier attempts included.

    Raises:
        ServiceUnavailableError: some were not.
        ConfigurationError: Apprise does not understand an address.
    """
    addresses = (await DigestRecipients.load_configured()).list_addresses()
    receivers = receivers_by_hash(addresses)
    waiting = list(receivers)
    failures: list[str] = []
    async with connect_database() as database:
        while message := await _claim(database, waiting):
            receiver = receivers[message.recipient]
            error = await _send_next(database, message, receiver)
            if error:
                waiting.remove(message.recipient)
                place = addresses.index(receiver.address) + 1
                failures.append(f"address {place} of {len(addresses)}{without_full_stop(error)}")
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


async def _claim(database: Database, recipients: Sequence[str]) -> Message | None:
    async with database.session() as session:
        message = await claim_message(session, recipients=recipients)
        await session.commit()
    return message


async def _send_next(database: Database, message: Message, receiver: Receiver) -> str | None:
    """Send the next chunk of a claimed message, and ack or nack it; returns which target and chunk
    was not delivered, and why."""
    message_id, place = message.id, message.parts_delivered
    chunks: list[Chunk] = []
    try:
        chunks = await _split(database, message, receiver)
        await send_chunk(receiver, chunks[place], await _read_pictures(chunks[place]))
    except AdSparkError as error:
        async with database.session() as session:
            await nack_message(session, message_id=message_id, error=str(error))
            await session.commit()
        return f"{_label(receiver, place, len(chunks))}: {error}"
    except Exception as error:  # whether it arrived is not known, so it is not sent again
        get_run_logger().exception("Message %d failed unforeseen", message_id)
        return f"{_label(receiver, place, len(chunks))}: {describe_error(error)}"
    async with database.session() as session:
        await ack_message(session, message_id=message_id, chunk=place, chunks=len(chunks))
        await session.commit()
    return None


async def _read_pictures(chunk: Chunk) -> dict[str, bytes]:
    """The pictures of a chunk by their names; none while there is no media store."""
    found = await read_pictures(
        media_url(get_settings()),
        chunk.pictures.values(),
        on_problem=partial(get_run_logger().warning, "The message is sent without pictures: %s"),
    )
    return {name: found[path] for name, path in chunk.pictures.items() if path in found}


def _label(receiver: Receiver, place: int, chunks: int) -> str:
    """Which receiver of its address, and which chunk, without names: they may be secrets."""
    chunk = f", part {place + 1} of {chunks}" if chunks > 1 else ""
    if receiver.target is None:
        return chunk
    others = list_receivers(receiver.address)
    return f", receiver {others.index(receiver) + 1} of {len(others)}{chunk}"


async def _split(database: Database, message: Message, receiver: Receiver) -> list[Chunk]:
    """The message's chunks, which are the same at every attempt."""
    if message.parts is not None:
        return [Chunk(**chunk) for chunk in message.parts]
    chunks = write_chunks(receiver, subject=message.subject, blocks=read_markdown(message.body))
    async with database.session() as session:
        values = [asdict(chunk) for chunk in chunks]
        await save_chunks(session, message_id=message.id, chunks=values)
        await session.commit()
    return chunks
