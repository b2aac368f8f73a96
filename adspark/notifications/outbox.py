"""The statements of the outbox, in which a message waits for its delivery.

A claim is for the next chunk of a message; each delivered chunk is acknowledged before the next is
claimed, so that a retry resumes with the first chunk that was not delivered, and none is knowingly
sent twice. Of one whose service did not answer nobody knows whether it arrived: it stays claimed,
and has an error.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, SecretStr
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import Message
from adspark.notifications.apprise import Receiver, list_receivers
from adspark.text.counts import counted

MOST_ATTEMPTS = 20
"""Of a chunk, before its message is stuck: some days of daily runs, each with its retries."""

_REPORTED_FOR = "7 days"  # an older digest is of no use any more
# Of a claimed message: nobody knows whether its chunk arrived, and nobody sends it any more.
_IS_UNKNOWN = """
    (sending_at < now() - interval '10 minutes' OR sending_at IS NOT NULL AND error IS NOT NULL)
"""

_CLAIM = text(f"""
    UPDATE message SET sending_at = clock_timestamp(), attempts = attempts + 1, error = NULL
    WHERE id = (
        SELECT id FROM message
        WHERE delivered_at IS NULL AND sending_at IS NULL AND attempts < {MOST_ATTEMPTS}
            AND recipient = ANY (:recipients)
        ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
""")  # noqa: S608  (put together from constants)
_SAVE_CHUNKS = text("""
    UPDATE message SET parts = :parts
    WHERE id = :message_id AND parts IS NULL AND parts_delivered = 0 AND delivered_at IS NULL
""").bindparams(bindparam("parts", type_=JSONB))
# Between two chunks the message can be claimed, and its next chunk has all attempts.
_ACK = text("""
    UPDATE message SET
        parts_delivered = :part + 1,
        error = NULL,
        attempts = CASE WHEN :is_last THEN attempts ELSE 0 END,
        sending_at = CASE WHEN :is_last THEN sending_at END,
        delivered_at = CASE WHEN :is_last THEN clock_timestamp() END
    WHERE id = :message_id AND parts_delivered = :part AND delivered_at IS NULL
        AND sending_at IS NOT NULL
""")
_NACK = text("""
    UPDATE message SET sending_at = NULL, error = :error
    WHERE id = :message_id AND delivered_at IS NULL
""")
_KEEP_CLAIMED = text("""
    UPDATE message SET error = :error
    WHERE id = :message_id AND delivered_at IS NULL AND sending_at IS NOT NULL
""")
_UNANSWERED = text("""
    SELECT recipient, error, parts_delivered AS chunks_delivered,
        coalesce(jsonb_array_length(parts), 1) AS chunks
    FROM message
    WHERE delivered_at IS NULL AND sending_at >= :since AND error IS NOT NULL
        AND recipient = ANY (:recipients)
    ORDER BY created_at, id
""")
_COUNT = text("""
    SELECT count(*) FROM message WHERE delivered_at >= :since AND recipient = ANY (:recipients)
""")
_STUCK = text(f"""
    SELECT id AS message_id, subject, created_at, attempts, sending_at IS NOT NULL AS is_unknown,
        error, parts_delivered AS chunks_delivered,
        coalesce(jsonb_array_length(parts), 1) AS chunks
    FROM message
    WHERE delivered_at IS NULL AND created_at > now() - interval '{_REPORTED_FOR}'
        AND ({_IS_UNKNOWN}
             OR sending_at IS NULL
             AND (attempts >= {MOST_ATTEMPTS} OR NOT recipient = ANY (:recipients)))
    ORDER BY created_at, id
""")  # noqa: S608  (put together from constants)
# Of what is not sent any more a person is told for a day; nothing can be done about it.
_UNDELIVERED = text(f"""
    SELECT count(*) AS messages, (array_agg(error ORDER BY created_at DESC, id DESC)
        FILTER (WHERE error IS NOT NULL))[1] AS error, count(DISTINCT error) > 1 AS errors_differ
    FROM message
    WHERE delivered_at IS NULL AND recipient = ANY (:recipients)
        AND (sending_at IS NULL AND error IS NOT NULL
             AND created_at > now() - interval '{_REPORTED_FOR}'
             OR {_IS_UNKNOWN} AND sending_at > now() - interval '1 day')
""")  # noqa: S608  (put together from constants)


class Undelivered(BaseModel):
    """Messages that have failed, or perhaps arrived.

    `error` is why the newest did of which that is known; `errors_differ`: others have another.
    """

    messages: int
    error: str | None
    errors_differ: bool


class StuckMessage(BaseModel):
    """A message that is not sent any more; `is_unknown`: its last chunk may have been delivered."""

    message_id: int
    subject: str
    created_at: datetime
    attempts: int
    is_unknown: bool
    error: str | None
    chunks_delivered: int
    chunks: int

    @property
    def headline(self) -> str:
        """The message and why it is stuck, in one line."""
        place = f"part {self.chunks_delivered + 1} of {self.chunks}" if self.chunks > 1 else ""
        if self.is_unknown and self.error:
            said = f"{place}: {self.error}".removeprefix(": ")
            reason = f"{said}, so nobody knows whether it arrived"
        elif self.is_unknown:
            what = f"the sending of {place}" if place else "its sending"
            reason = f"{what} was cut off, so nobody knows whether it arrived"
        elif self.attempts < MOST_ATTEMPTS:  # its address was removed
            said = f" ({self.error})" if self.error else ""
            reason = (
                f"{place} not sent{said}, and its address is no longer configured; configured "
                f"again, it gets it with the next digest"
            ).lstrip()
        else:
            reason = (
                f"{place} given up after {counted(self.attempts, 'attempt')}: {self.error}".lstrip()
            )
        return f"Message {self.message_id} of {self.created_at.date()} ({self.subject}): {reason}"


class UnansweredMessage(BaseModel):
    """A message of which nobody knows whether its next chunk arrived: `error` is why."""

    recipient: str
    error: str
    chunks_delivered: int
    chunks: int


def hash_receiver(receiver: Receiver) -> str:
    """The hash by which the database knows a receiver, in hex; an address is a secret."""
    address, target = receiver.address.get_secret_value(), receiver.target
    return hashlib.sha256(
        (address if target is None else f"{address}\n{target}").encode()
    ).hexdigest()


def receivers_by_hash(addresses: Sequence[SecretStr]) -> dict[str, Receiver]:
    """All receivers of addresses, and each address as a whole, as messages of earlier versions name
    it."""
    found = [one for address in addresses for one in (Receiver(address), *list_receivers(address))]
    return {hash_receiver(receiver): receiver for receiver in found}


async def enqueue_messages(
    session: AsyncSession, *, subject: str, body: str, recipients: Sequence[str]
) -> None:
    """Write a message to each recipient; does not commit.

    Args:
        subject: text on one line.
        body: Markdown.
        recipients: hashes of receivers.
    """
    session.add_all(
        Message(subject=subject, body=body, recipient=recipient) for recipient in recipients
    )
    await session.flush()


async def claim_message(session: AsyncSession, *, recipients: Sequence[str]) -> Message | None:
    """Claim the oldest message to one of the recipients that waits; None where none does.

    The caller commits before it sends the next chunk: whatever happens then, nobody else sends it.
    """
    found = await session.execute(_CLAIM, {"recipients": list(recipients)})
    row = found.mappings().first()
    return Message(**row) if row else None


async def save_chunks(
    session: AsyncSession, *, message_id: int, chunks: Sequence[Mapping[str, object]]
) -> None:
    """Save how a message is split, before the first chunk is sent; does not commit.

    Args:
        message_id: of a claimed message.
        chunks: as mappings; all of them, in order.
    """
    values = {"message_id": message_id, "parts": [dict(chunk) for chunk in chunks]}
    await session.execute(_SAVE_CHUNKS, values)


async def ack_message(
    session: AsyncSession, *, message_id: int, chunk: int = 0, chunks: int = 1
) -> None:
    """Note that the claimed chunk of a message was delivered; does not commit.

    Args:
        message_id: of a claimed message.
        chunk: its place, from 0 on.
        chunks: how many there are; with the last one the message is delivered.
    """
    values = {"message_id": message_id, "part": chunk, "is_last": chunk + 1 >= chunks}
    await session.execute(_ACK, values)


async def nack_message(session: AsyncSession, *, message_id: int, error: str) -> None:
    """Requeue a claimed message, whose next chunk was not delivered; does not commit.

    Args:
        message_id: of a claimed message.
        error: why it was not.
    """
    await session.execute(_NACK, {"message_id": message_id, "error": error})


async def keep_claimed(session: AsyncSession, *, message_id: int, error: str) -> None:
    """Note that nobody knows whether the claimed chunk of a message arrived; nobody sends it any
    more. Does not commit.

    Args:
        message_id: of a claimed message.
        error: why nobody knows.
    """
    await session.execute(_KEEP_CLAIMED, {"message_id": message_id, "error": error})


async def read_unanswered(
    session: AsyncSession, *, since: datetime, recipients: Sequence[str]
) -> list[UnansweredMessage]:
    """The messages of which nobody knows whether they arrived, the oldest first.

    Args:
        since: when the sending of the earliest one began.
        recipients: hashes of receivers.
    """
    values = {"since": since, "recipients": list(recipients)}
    rows = await session.execute(_UNANSWERED, values)
    return [UnansweredMessage.model_validate(row) for row in rows.mappings()]


async def count_delivered(
    session: AsyncSession, *, since: datetime, recipients: Sequence[str]
) -> int:
    """How many messages were delivered.

    Args:
        since: the earliest delivery.
        recipients: hashes of receivers.
    """
    values = {"since": since, "recipients": list(recipients)}
    return int(await session.scalar(_COUNT, values) or 0)


async def read_stuck(session: AsyncSession, *, recipients: Sequence[str]) -> list[StuckMessage]:
    """The messages of the last days that are not sent any more, the oldest first.

    A crash came between sending and acknowledging, the service did not answer, the attempts are
    used up, or the address is no longer configured: its hash is not among `recipients`.
    """
    rows = await session.execute(_STUCK, {"recipients": list(recipients)})
    return [StuckMessage.model_validate(row) for row in rows.mappings()]


async def read_undelivered(session: AsyncSession, *, recipients: Sequence[str]) -> Undelivered:
    """The messages to configured receivers, named by hash, that are not known to have been
    delivered, though each was sent at least once.
    """
    row = (await session.execute(_UNDELIVERED, {"recipients": list(recipients)})).mappings().one()
    return Undelivered.model_validate(row)
