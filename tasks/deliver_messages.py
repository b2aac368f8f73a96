"""The task that sends the messages in the outbox."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

from prefect.logging import get_run_logger
from pydantic import BaseModel, Field, SecretStr

from adspark.db.engine import Database
from adspark.errors import (
    AdSparkError,
    DeliveryUnknownError,
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
from adspark.text.counts import counted
from adspark.text.sentences import without_full_stop
from adspark.waits import tell_wait
from blocks.adspark_database import connect_database
from blocks.digest_recipients import DigestRecipients
from orchestration.limits.retry_policy import retried_task

# Chunks that are sent at the same time: fewer than asyncio has threads on the smallest machine, so
# that none waits for a thread while its time is counted.
_AT_ONCE = 4


class DeliverySummary(BaseModel):
    """What became of the messages in the outbox."""

    delivered: int = Field(description="Messages that were delivered.")
    problem: str | None = Field(description="What was not, or perhaps not, and what to do.")


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


@retried_task()
async def deliver_messages(since: datetime) -> DeliverySummary:
    """Send what waits in the outbox, to several receivers at once; none waits for another's retry.

    `delivered` counts from `since` on, so that it has what was delivered before the database was
    lost and this task was tried again.
    """
    addresses = (await DigestRecipients.load_configured()).list_addresses()
    receivers = receivers_by_hash(addresses)
    async with connect_database() as database:
        turns = asyncio.Semaphore(_AT_ONCE)
        ends = await asyncio.gather(
            *(
                _Sender(database, turns, recipient, receiver, _place(addresses, receiver)).deliver()
                for recipient, receiver in receivers.items()
            ),
            return_exceptions=True,  # an error with one receiver stops no other
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        failures = [end for end in ends if isinstance(end, str)]
        async with database.session() as session:
            delivered = await count_delivered(session, since=since, recipients=list(receivers))
            found = await read_unanswered(session, since=since, recipients=list(receivers))
    unanswered = [_describe_unanswered(addresses, receivers[one.recipient], one) for one in found]
    get_run_logger().info(
        "%d messages delivered, %d not, %d perhaps", delivered, len(failures), len(unanswered)
    )
    return DeliverySummary(delivered=delivered, problem=_describe_problem(failures, unanswered))


@dataclass(frozen=True)
class _Sender:
    """Sends what waits for one receiver.

    Attributes:
        database: with the outbox.
        turns: one for each chunk that may be sent at the same time.
        recipient: the receiver's hash.
        receiver: who gets the messages.
        place: which of the addresses it is.
    """

    database: Database
    turns: asyncio.Semaphore
    recipient: str
    receiver: Receiver
    place: str

    async def deliver(self) -> str | None:
        """Send it, and try again what may be taken a while later; returns what was not delivered at
        last, and why, or None where nothing failed, or nobody knows."""
        delays = get_settings().retry_delays
        for attempt, delay in enumerate((*delays, None), start=1):
            failure = await self._send_waiting()
            if failure is None or failure.told is None:
                return None
            told = f"{self.place}{failure.told}"
            if delay is None or not failure.can_retry:
                return told
            tell_wait(f"attempt {attempt + 1} of {len(delays) + 1} follows; {told}", seconds=delay)
            await asyncio.sleep(delay)
        return None

    async def _send_waiting(self) -> _Failure | None:
        """Send chunk after chunk until none is left, or one fails; returns what failed."""
        while True:
            async with self.turns:
                message = await _claim(self.database, self.recipient)
                if message is None:
                    return None
                if failure := await _send_next(self.database, message, self.receiver):
                    return failure


def _describe_problem(failures: Sequence[str], unanswered: Sequence[str]) -> str | None:
    sentences = []
    if failures:
        sentences.append(
            f"Not delivered to {counted(len(failures), 'receiver')}: {'; '.join(failures)}. "
            f"The next run tries again, until {MOST_ATTEMPTS} attempts have failed."
        )
    if unanswered:
        sentences.append(
            f"Nobody knows whether it arrived, and it is not sent again: {'; '.join(unanswered)}. "
            f"What it tells is in the run's artifact."
        )
    if not sentences:
        return None
    sentences.append(
        "See whether the service is up, and whether its address (block "
        "digest-recipients/adspark, or ADSPARK_NOTIFY_ADDRESSES) is still right."
    )
    return " ".join(sentences)


def _place(addresses: Sequence[SecretStr], receiver: Receiver) -> str:
    """Which address; itself it is a secret."""
    return f"address {addresses.index(receiver.address) + 1} of {len(addresses)}"


def _describe_unanswered(
    addresses: Sequence[SecretStr], receiver: Receiver, message: UnansweredMessage
) -> str:
    label = _label(receiver, message.chunks_delivered, message.chunks)
    return f"{_place(addresses, receiver)}{label}: {without_full_stop(message.error)}"


async def _claim(database: Database, recipient: str) -> Message | None:
    async with database.transaction() as session:
        return await claim_message(session, recipients=[recipient])


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
        async with database.transaction() as session:
            await nack_message(session, message_id=message_id, error=str(error))
        told = f"{_label(receiver, place, len(chunks))}: {without_full_stop(str(error))}"
        return _Failure(told, can_retry=isinstance(error, TemporaryError))
    except Exception as error:  # whether it arrived is not known, so it is not sent again
        get_run_logger().exception("Message %d failed unforeseen", message_id)
        await _keep_claimed(database, message_id, describe_error(error))
        return _Failure(None)
    async with database.transaction() as session:
        await ack_message(session, message_id=message_id, chunk=place, chunks=len(chunks))
    return None


async def _keep_claimed(database: Database, message_id: int, error: str) -> None:
    async with database.transaction() as session:
        await keep_claimed(session, message_id=message_id, error=error)


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
    async with database.transaction() as session:
        values = [asdict(chunk) for chunk in chunks]
        await save_chunks(session, message_id=message.id, chunks=values)
    return chunks
