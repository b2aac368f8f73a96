"""Every statement on the outbox: a message is written once, and never sent twice knowingly."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.models import Message

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
_CONFIRM = text("""
    UPDATE message SET delivered_at = clock_timestamp(), error = NULL WHERE id = :message_id
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
        error
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

    @property
    def headline(self) -> str:
        """The message and its fate in one line."""
        fate = (
            "its sending was cut off, so nobody knows whether it arrived"
            if self.is_unknown
            else f"given up after {self.attempts} attempts: {self.error}"
        )
        return f"Message {self.message_id} of {self.created_at.date()} ({self.subject}): {fate}"


def hash_address(address: SecretStr) -> str:
    """What stands for an address in the database."""
    return hashlib.sha256(address.get_secret_value().encode()).hexdigest()


async def put_messages(
    session: AsyncSession, *, subject: str, body: str, recipients: Sequence[str]
) -> None:
    """Write a message to each of the recipients (hashes of addresses); does not commit."""
    session.add_all(
        Message(subject=subject, body=body, recipient=recipient) for recipient in recipients
    )
    await session.flush()


async def claim_message(session: AsyncSession, *, recipients: Sequence[str]) -> Message | None:
    """The oldest message that is to be sent to one of them, if there is one.

    The caller commits before it sends: whatever happens then, nobody else sends it.
    """
    found = await session.execute(_CLAIM, {"recipients": list(recipients)})
    row = found.mappings().first()
    return Message(**row) if row else None


async def confirm_message(session: AsyncSession, *, message_id: int) -> None:
    """Note that a claimed message was delivered; does not commit."""
    await session.execute(_CONFIRM, {"message_id": message_id})


async def return_message(session: AsyncSession, *, message_id: int, error: str) -> None:
    """Put a claimed message back, since it was not delivered; does not commit."""
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
