"""Every statement on the outbox: a message is written once, and no part of it sent twice knowingly.

A claim is for the next part of a message; each part that arrived is noted before the next is
claimed, so that a try after a failure goes on with the first part that did not arrive.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import BaseModel, SecretStr
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import Message
from adspark.notifications.apprise import Receiver

MOST_ATTEMPTS = 20
"""Of a message, before it is given up: some days of daily runs, each with its retries."""

_REPORTED_FOR = "7 days"  # after so long nobody can do anything about a digest any more

_CLAIM = text(f"""
    UPDATE message SET sending_at = clock_timestamp(), attempts = attempts + 1
    WHERE id = (
        SELECT id FROM message
        WHERE delivered_at IS NULL AND sending_at IS NULL AND attempts < {MOST_ATTEMPTS}
            AND recipient = ANY (:recipients)
        ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING *
""")  # noqa: S608  (put together from constants)
_FIX_PARTS = text("""
    UPDATE message SET parts = :parts
    WHERE id = :message_id AND parts IS NULL AND parts_delivered = 0 AND delivered_at IS NULL
""").bindparams(bindparam("parts", type_=JSONB))
# Between two parts the message is free to be claimed, and its next part has all its attempts.
_CONFIRM = text("""
    UPDATE message SET
        parts_delivered = :part + 1,
        error = NULL,
        attempts = CASE WHEN :is_last THEN attempts ELSE 0 END,
        sending_at = CASE WHEN :is_last THEN sending_at END,
        delivered_at = CASE WHEN :is_last THEN clock_timestamp() END
    WHERE id = :message_id AND parts_delivered = :part AND delivered_at IS NULL
        AND sending_at IS NOT NULL
""")
_RETURN = text("""
    UPDATE message SET sending_at = NULL, error = :error
    WHERE id = :message_id AND delivered_at IS NULL
""")
_COUNT = text("""
    SELECT count(*) FROM message WHERE delivered_at >= :since AND recipient = ANY (:recipients)
""")
_STUCK = text(f"""
    SELECT id AS message_id, subject, created_at, attempts, sending_at IS NOT NULL AS is_unknown,
        error, parts_delivered, coalesce(jsonb_array_length(parts), 1) AS parts
    FROM message
    WHERE delivered_at IS NULL AND created_at > now() - interval '{_REPORTED_FOR}'
        AND (sending_at < now() - interval '10 minutes'
             OR sending_at IS NULL AND attempts >= {MOST_ATTEMPTS})
    ORDER BY created_at, id
""")  # noqa: S608  (put together from constants)


class StuckMessage(BaseModel):
    """A message that is not sent any more."""

    message_id: int
    subject: str
    created_at: datetime
    attempts: int
    is_unknown: bool
    error: str | None
    parts_delivered: int
    parts: int

    @property
    def headline(self) -> str:
        """The message and its fate in one line."""
        place = f"part {self.parts_delivered + 1} of {self.parts}" if self.parts > 1 else ""
        if self.is_unknown:
            what = f"the sending of {place}" if place else "its sending"
            fate = f"{what} was cut off, so nobody knows whether it arrived"
        else:
            fate = f"given up after {self.attempts} attempts: {self.error}"
            fate = f"{place} {fate}" if place else fate
        return f"Message {self.message_id} of {self.created_at.date()} ({self.subject}): {fate}"


def hash_address(address: SecretStr) -> str:
    """What stands for an address in the database."""
    return hashlib.sha256(address.get_secret_value().encode()).hexdigest()


def hash_receiver(receiver: Receiver) -> str:
    """What stands for a receiver in the database; the same as the address's where it is all."""
    if receiver.target is None:
        return hash_address(receiver.address)
    return hash_address(SecretStr(f"{receiver.address.get_secret_value()}\n{receiver.target}"))


async def enqueue_messages(
    session: AsyncSession, *, subject: str, body: str, recipients: Sequence[str]
) -> None:
    """Write a message to each of the recipients (hashes of receivers); does not commit."""
    session.add_all(
        Message(subject=subject, body=body, recipient=recipient) for recipient in recipients
    )
    await session.flush()


async def claim_message(session: AsyncSession, *, recipients: Sequence[str]) -> Message | None:
    """The oldest message of which something is to be sent to one of them, if there is one.

    The caller commits before it sends the next part: whatever happens then, nobody else sends it.
    """
    found = await session.execute(_CLAIM, {"recipients": list(recipients)})
    row = found.mappings().first()
    return Message(**row) if row else None


async def fix_parts(
    session: AsyncSession, *, message_id: int, parts: Sequence[Mapping[str, str]]
) -> None:
    """Keep how a message is parted, before the first part is sent; does not commit."""
    values = {"message_id": message_id, "parts": [dict(part) for part in parts]}
    await session.execute(_FIX_PARTS, values)


async def ack_message(
    session: AsyncSession, *, message_id: int, part: int = 0, parts: int = 1
) -> None:
    """Note that the claimed part of a message has arrived; does not commit.

    Args:
        part: its place, from 0 on.
        parts: how many there are; with the last one the message is delivered.
    """
    values = {"message_id": message_id, "part": part, "is_last": part + 1 >= parts}
    await session.execute(_CONFIRM, values)


async def nack_message(session: AsyncSession, *, message_id: int, error: str) -> None:
    """Put a claimed message back, since its next part did not arrive; does not commit."""
    await session.execute(_RETURN, {"message_id": message_id, "error": error})


async def count_delivered(
    session: AsyncSession, *, since: datetime, recipients: Sequence[str]
) -> int:
    """How many messages have reached them since then."""
    values = {"since": since, "recipients": list(recipients)}
    return int(await session.scalar(_COUNT, values) or 0)


async def read_stuck(session: AsyncSession) -> list[StuckMessage]:
    """The last days' messages that are not sent any more, though none is known to have arrived.

    Either a crash came between sending and noting it, or the attempts are used up.
    """
    rows = await session.execute(_STUCK)
    return [StuckMessage.model_validate(dict(row)) for row in rows.mappings()]
