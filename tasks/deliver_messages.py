"""The task that sends what waits in the outbox."""

from collections.abc import Sequence
from datetime import datetime

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pydantic import SecretStr

from adspark.database import Database
from adspark.errors import AdSparkError, ServiceUnavailableError, describe_error
from adspark.models import Message
from adspark.notifying import send
from adspark.outbox import (
    MOST_ATTEMPTS,
    claim_message,
    confirm_message,
    count_delivered,
    hash_address,
    return_message,
)
from blocks.adspark_database import AdSparkDatabase
from blocks.digest_recipients import DigestRecipients
from tasks.retrying import RETRIED


@task(**RETRIED, cache_policy=NO_CACHE)
async def deliver_messages(since: datetime) -> int:
    """Send message after message until none is left; an address that fails waits for another try.

    Returns:
        How many arrived since `since`, those of earlier tries included.
    """
    listed = (await DigestRecipients.load_configured()).list_addresses()
    addresses = {hash_address(address): address for address in listed}
    waiting = list(addresses)
    failures: list[str] = []
    async with (await AdSparkDatabase.load_configured()).connect() as database:
        while message := await _claim(database, waiting):
            error = await _send(database, message, addresses[message.recipient])
            if error:
                waiting.remove(message.recipient)
                place = list(addresses).index(message.recipient) + 1
                failures.append(f"address {place} of {len(addresses)}: {error}")
        async with database.session() as session:
            delivered = await count_delivered(session, since=since, recipients=list(addresses))
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


async def _send(database: Database, message: Message, address: SecretStr) -> str | None:
    """Send a claimed message and note what came of it; returns why it was not delivered."""
    message_id = message.id or 0
    try:
        await send(address, subject=message.subject, body=message.body)
    except AdSparkError as error:
        async with database.session() as session:
            await return_message(session, message_id=message_id, error=str(error))
            await session.commit()
        return str(error)
    except Exception as error:  # whether it arrived is not known, so it is not sent again
        get_run_logger().exception("Message %d failed unforeseen", message_id)
        return describe_error(error)
    async with database.session() as session:
        await confirm_message(session, message_id=message_id)
        await session.commit()
    return None
