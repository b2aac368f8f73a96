"""The task that sends the messages in the outbox."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from prefect.logging import get_run_logger
from pydantic import SecretStr

from adspark.db.engine import Database
from adspark.errors import (
    AdSparkError,
    DeliveryUnknownError,
    ServiceRefusedError,
    ServiceUnavailableError,
    TemporaryError,
    describe_error,
)
from adspark.models import Message
from adspark.notifications.apprise import Receiver, list_receivers, send_chunk, write_chunks
from adspark.notifications.message import read_markdown
from adspark.notifications.outbox import (
    MOST_ATTEMPTS,
    UnansweredMessage,
    ack_message,
    claim_message,
    count_delivered,
    keep_claimed,
    nack_message,
    read_unanswered,
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
        ServiceRefusedError: none of these would be a minute later; they wait for the next run.
        DeliveryUnknownError: of some nobody knows, and no other is left.
        ConfigurationError: Apprise does not understand an address.
    """
    addresses = (await DigestRecipients.load_configured()).list_addresses()
    receivers = receivers_by_hash(addresses)
    waiting = list(receivers)
    failures: list[str] = []
    can_retry = False
    async with connect_database() as database:
        while message := await _claim(database, waiting):
            receiver = receivers[message.recipient]
            failure = await _send_next(database, message, receiver)
            if failure is not None:
                waiting.remove(message.recipient)
                can_retry |= failure.can_retry
                if failure.told is not None:
                    failures.append(f"{_place(addresses, receiver)}{failure.told}")
        async with database.session() as session:
            delivered = await count_delivered(session, since=since, recipients=list(receivers))
            found = await read_unanswered(session, since=since, recipients=list(receivers))
    unanswered = [_describe_unanswered(addresses, receivers[one.recipient], one) for one in found]
    get_run_logger().info(
        "%d messages delivered, %d not, %d perhaps", delivered, len(failures), len(unanswered)
    )
    _raise_problems(failures, unanswered, can_retry=can_retry)
    return delivered


def _raise_problems(failures: Sequence[str], unanswered: Sequence[str], *, can_retry: bool) -> None:
    sentences = []
    if failures:
        sentences.append(
            f"Not delivered, and kept for the next try, {MOST_ATTEMPTS} in all: "
            f"{'; '.join(failures)}."
        )
    if unanswered:
        sentences.append(
            f"Nobody knows whether it arrived, and it is not sent again: {'; '.join(unanswered)}. "
            f"What it tells is in the run's artifact."
        )
    sentences.append(
        "See whether the service is up, and whether its address (block "
        "digest-recipients/adspark, or ADSPARK_NOTIFY_ADDRESSES) is still right."
    )
    if failures:
        kind = ServiceUnavailableError if can_retry else ServiceRefusedError
        raise kind(" ".join(sentences))
    if unanswered:
        raise DeliveryUnknownError(" ".join(sentences))


def _place(addresses: Sequence[SecretStr], receiver: Receiver) -> str:
    """Which address; itself it is a secret."""
    return f"address {addresses.index(receiver.address) + 1} of {len(addresses)}"


def _describe_unanswered(
    addresses: Sequence[SecretStr], receiver: Receiver, message: UnansweredMessage
) -> str:
    label = _label(receiver, message.chunks_delivered, message.chunks)
    return f"{_place(addresses, receiver)}{label}: {without_full_stop(message.error)}"


async def _claim(database: Database, recipients: Sequence[str]) -> Message | None:
    async with database.session() as session:
        message = await claim_message(session, recipients=recipients)
        await session.commit()
    return message


@dataclass(frozen=True)
class _Failure:
    """Of a chunk: which target and chunk was not delivered, and why.

    Attributes:
        told: None where nobody knows whether it was delivered; the database says why, also to a
            retry.
        can_retry: whether the service may take it a minute later.
    """

    told: str | None
    can_retry: bool = False


async def _send_next(database: Database, message: Message, receiver: Receiver) -> _Failure | None:
    """Send the next chunk of a claimed message, and ack or nack it, or keep it claimed where nobody
    knows whether it was delivered; returns what failed."""
    message_id, place = message.id, message.parts_delivered
    chunks: list[Chunk] = []
    try:
        chunks = await _split(database, message, receiver)
        await send_chunk(receiver, chunks[place], await _read_pictures(chunks[place]))
    except DeliveryUnknownError as error:
        await _keep_claimed(database, message_id, str(error))
        return _Failure(None)
    except AdSparkError as error:
        async with database.session() as session:
            await nack_message(session, message_id=message_id, error=str(error))
            await session.commit()
        told = f"{_label(receiver, place, len(chunks))}: {without_full_stop(str(error))}"
        return _Failure(told, can_retry=isinstance(error, TemporaryError))
    except Exception as error:  # whether it arrived is not known, so it is not sent again
        get_run_logger().exception("Message %d failed unforeseen", message_id)
        await _keep_claimed(database, message_id, describe_error(error))
        return _Failure(None)
    async with database.session() as session:
        await ack_message(session, message_id=message_id, chunk=place, chunks=len(chunks))
        await session.commit()
    return None


async def _keep_claimed(database: Database, message_id: int, error: str) -> None:
    async with database.session() as session:
        await keep_claimed(session, message_id=message_id, error=error)
        await session.commit()


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
