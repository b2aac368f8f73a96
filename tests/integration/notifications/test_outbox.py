"""The outbox: who gets a message, how often it is tried, and what is never sent again."""

import asyncio

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from adspark.db.engine import Database
from adspark.models import Message
from adspark.notifications.apprise import Receiver
from adspark.notifications.outbox import (
    MOST_ATTEMPTS,
    ack_message,
    claim_message,
    enqueue_messages,
    hash_receiver,
    nack_message,
    read_stuck,
    save_chunks,
)

ALICE, BOB = "hash of alice", "hash of bob"


async def put(database: Database, *recipients: str, subject: str = "news") -> None:
    """Write a message to each."""
    async with database.session() as session:
        await enqueue_messages(session, subject=subject, body="# news", recipients=recipients)
        await session.commit()


async def claim(database: Database, *recipients: str) -> Message | None:
    """Claim a message for one of them."""
    async with database.session() as session:
        message = await claim_message(session, recipients=recipients)
        await session.commit()
    return message


async def give_back(database: Database, message: Message | None) -> None:
    """Sending it failed."""
    assert message is not None
    async with database.session() as session:
        await nack_message(session, message_id=message.id, error="refused")
        await session.commit()


async def change(database: Database, statement: str) -> None:
    """Carry out a statement."""
    async with database.session() as session:
        await session.execute(text(statement))
        await session.commit()


async def stuck(database: Database, *recipients: str) -> list[str]:
    """What is reported while these are configured; without any, both."""
    async with database.session() as session:
        found = await read_stuck(session, recipients=recipients or (ALICE, BOB))
        return [one.headline for one in found]


async def test_a_message_to_an_address_that_was_removed_is_reported_until_it_is_back(
    database: Database,
) -> None:
    await put(database, ALICE, BOB)
    await give_back(database, await claim(database, ALICE))
    (told,) = await stuck(database, BOB)
    assert told.endswith(
        "not sent (refused), and its address is no longer configured; configured again, it gets it "
        "with the next digest"
    )
    assert await stuck(database) == []
    assert await claim(database, ALICE) is not None


async def test_the_oldest_message_goes_first(database: Database) -> None:
    await put(database, ALICE, subject="first")
    await put(database, ALICE, subject="second")
    claimed = await claim(database, ALICE)
    assert claimed is not None
    assert (claimed.subject, claimed.body, claimed.attempts) == ("first", "# news", 1)


async def test_a_claimed_message_is_nobody_elses(database: Database) -> None:
    await put(database, ALICE)
    assert await claim(database, ALICE)
    assert await claim(database, ALICE) is None


async def test_claims_at_once_get_different_messages_without_waiting(database: Database) -> None:
    await put(database, ALICE, BOB)
    async with database.session() as first, database.session() as second:
        claimed = [
            await asyncio.wait_for(claim_message(session, recipients=[ALICE, BOB]), 60)
            for session in (first, second)
        ]
    assert {one.recipient for one in claimed if one} == {ALICE, BOB}


async def test_a_message_to_an_address_that_is_not_configured_stays(database: Database) -> None:
    await put(database, ALICE)
    assert await claim(database, BOB) is None
    assert await claim(database) is None


async def test_a_delivered_message_is_done(database: Database) -> None:
    await put(database, ALICE)
    claimed = await claim(database, ALICE)
    assert claimed is not None
    async with database.session() as session:
        await ack_message(session, message_id=claimed.id)
        await session.commit()
    await change(database, "UPDATE message SET sending_at = now() - interval '1 hour'")
    assert await claim(database, ALICE) is None
    assert await stuck(database) == []


async def test_a_returned_message_is_tried_again_so_often_and_then_reported(
    database: Database,
) -> None:
    await put(database, ALICE)
    for _ in range(MOST_ATTEMPTS):
        assert await stuck(database) == []
        await give_back(database, await claim(database, ALICE))
    assert await claim(database, ALICE) is None
    (told,) = await stuck(database)
    assert told.endswith(f"given up after {MOST_ATTEMPTS} attempts: refused")


async def test_what_met_a_crash_is_reported_and_never_sent_again(database: Database) -> None:
    await put(database, ALICE)
    await claim(database, ALICE)
    assert await stuck(database) == []  # it may still be under way
    await change(database, "UPDATE message SET sending_at = now() - interval '11 minutes'")
    assert await claim(database, ALICE) is None
    (told,) = await stuck(database)
    assert told.endswith("nobody knows whether it arrived")


PARTS = [{"title": "", "body": word} for word in ("one", "two", "three")]


async def claim_parted(database: Database) -> Message:
    """Claim a message of three parts."""
    await put(database, ALICE)
    claimed = await claim(database, ALICE)
    assert claimed is not None
    assert claimed.parts is None
    async with database.session() as session:
        await save_chunks(session, message_id=claimed.id, chunks=PARTS)
        await session.commit()
    return claimed


async def confirm(database: Database, message: Message, part: int) -> None:
    """A part has arrived."""
    async with database.session() as session:
        await ack_message(session, message_id=message.id, chunk=part, chunks=3)
        await session.commit()


async def test_a_message_goes_on_with_its_next_part(database: Database) -> None:
    claimed = await claim_parted(database)
    for part in range(3):
        assert await claim(database, ALICE) is None  # while this part is under way
        await confirm(database, claimed, part)
        again = await claim(database, ALICE)
        if part < 2:
            assert again is not None
            assert (again.parts, again.parts_delivered, again.attempts) == (PARTS, part + 1, 1)
        else:
            assert again is None
    assert await stuck(database) == []


async def test_a_refused_part_has_its_own_attempts_and_is_named_when_given_up(
    database: Database,
) -> None:
    claimed = await claim_parted(database)
    for _ in range(MOST_ATTEMPTS - 1):
        await give_back(database, claimed)
        await claim(database, ALICE)
    await confirm(database, claimed, 0)
    for _ in range(MOST_ATTEMPTS):
        await give_back(database, await claim(database, ALICE))
    assert await claim(database, ALICE) is None
    (told,) = await stuck(database)
    assert told.endswith(f"part 2 of 3 given up after {MOST_ATTEMPTS} attempts: refused")


async def test_a_part_that_met_a_crash_is_named_and_neither_it_nor_the_rest_is_sent(
    database: Database,
) -> None:
    claimed = await claim_parted(database)
    await confirm(database, claimed, 0)
    await claim(database, ALICE)
    await change(database, "UPDATE message SET sending_at = now() - interval '11 minutes'")
    assert await claim(database, ALICE) is None
    (told,) = await stuck(database)
    assert told.endswith(
        "the sending of part 2 of 3 was cut off, so nobody knows whether it arrived"
    )


async def test_a_part_is_confirmed_once_and_only_while_it_is_sent(database: Database) -> None:
    claimed = await claim_parted(database)
    await confirm(database, claimed, 1)  # not the one that is under way
    await confirm(database, claimed, 0)
    await confirm(database, claimed, 0)
    await confirm(database, claimed, 1)  # not claimed yet
    again = await claim(database, ALICE)
    assert again is not None
    assert again.parts_delivered == 1


async def test_how_a_message_is_parted_does_not_change_any_more(database: Database) -> None:
    claimed = await claim_parted(database)
    async with database.session() as session:
        await save_chunks(session, message_id=claimed.id, chunks=PARTS[:1])
        await session.commit()
    await give_back(database, claimed)
    again = await claim(database, ALICE)
    assert again is not None
    assert again.parts == PARTS


async def test_an_old_failure_is_not_reported_for_ever(database: Database) -> None:
    await put(database, ALICE)
    await claim(database, ALICE)
    await change(database, "UPDATE message SET sending_at = now() - interval '11 minutes'")
    await change(database, "UPDATE message SET created_at = now() - interval '8 days'")
    assert await stuck(database) == []


@pytest.mark.parametrize("address", ["json://127.0.0.1/secret", "mailto://u:ü@example.com"])
def test_an_address_is_kept_as_a_hash(address: str) -> None:
    hashed = hash_receiver(Receiver(SecretStr(address)))
    assert len(hashed) == 64
    assert "secret" not in hashed
    assert hashed == hash_receiver(Receiver(SecretStr(address)))
