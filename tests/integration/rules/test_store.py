"""Versions of rules: each one that was set is kept, the latest of workspace and user count."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.db.engine import Database
from adspark.errors import ConfigurationError, InvalidQueryError
from adspark.rules.store import (
    list_versions,
    read_in_force,
    read_latest,
    read_version,
    save_rules,
)
from adspark.users.store import add_user

BANS = "banned_words: [free]\n"


@pytest.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """A session of an empty database."""
    async with database.session() as opened:
        yield opened


async def test_every_version_is_kept_and_the_same_text_is_none(session: AsyncSession) -> None:
    told = []
    for written in (BANS, BANS, "languages: [en]\n", BANS):
        stored, is_new = await save_rules(session, written=written, user_id=None)
        told.append((stored.version, is_new))
    assert told == [(1, True), (1, False), (2, True), (3, True)]
    listed = await list_versions(session, user_id=None, most=10)
    assert [(one.version, one.source) for one in listed] == [
        (3, BANS), (2, "languages: [en]\n"), (1, BANS),
    ]  # fmt: skip
    first = await read_version(session, version_id=listed[-1].id)
    assert (first.version, first.user_id) == (1, None)
    with pytest.raises(InvalidQueryError, match="adspark rules history"):
        await read_version(session, version_id=10**12)


async def test_rules_of_a_user_that_contradict_the_workspaces_are_refused(
    session: AsyncSession,
) -> None:
    await save_rules(session, written=BANS, user_id=None)
    disclaimer = "disclaimers: [Free for members.]\n"
    with pytest.raises(ConfigurationError) as caught:
        await save_rules(session, written=disclaimer, user_id=7)
    assert str(caught.value).splitlines()[1] == (
        "disclaimers: 'Free for members.' holds 'free', which banned_words forbids; change one of "
        "them."
    )
    assert await read_latest(session, user_id=7) is None
    await save_rules(session, written=disclaimer, user_id=None)
    await save_rules(session, written=BANS.replace("free", "bold"), user_id=7)


async def test_rules_of_the_workspace_with_which_a_user_could_not_keep_are_refused(
    session: AsyncSession,
) -> None:
    bea = await add_user(session, name="Bea")
    await save_rules(session, written="{}", user_id=None)
    for whose, written in (
        (bea, "disclaimers: [Old shoes]\n"),  # is replaced
        (bea, "disclaimers: [Shoes for everyone]\ndisclaimer_place: copy\n"),
        (99, "tone_words: [shod]\n"),
        (98, "banned_words: [boots]\n"),
    ):
        await save_rules(session, written=written, user_id=whose)

    with pytest.raises(ConfigurationError) as caught:
        await save_rules(session, written="banned_words: [old, shoes, 'sho*']\n", user_id=None)
    tight = "surfaces: {responsive_search: {headline: 5, description: 5}}\n"
    with pytest.raises(ConfigurationError, match="no field takes more than 15; shorten it, or"):
        await save_rules(session, written=tight, user_id=None)

    forbidden = "which banned_words forbids; change one of them."
    assert str(caught.value).splitlines()[1:] == [
        f"user {bea} (Bea): disclaimers: 'Shoes for everyone' holds 'shoes', {forbidden}",
        f"user {bea} (Bea): disclaimers: 'Shoes for everyone' holds 'sho*', {forbidden}",
        f"user 99: tone_words: 'shod' holds 'sho*', {forbidden}",
    ]
    latest = await read_latest(session, user_id=None)
    assert latest
    assert latest.source == "{}"
    _, is_new = await save_rules(session, written="banned_words: [old]\n", user_id=None)
    assert is_new


async def test_users_count_their_versions_for_themselves(session: AsyncSession) -> None:
    ana = await add_user(session, name="Ana")
    for whose, written in ((None, BANS), (ana, "banned_words: [bold]\n"), (7, "{}")):
        stored, _ = await save_rules(session, written=written, user_id=whose)
        assert stored.version == 1
    in_force = {
        whose: await read_in_force(session, user_id=whose) for whose in (ana, 7, 8)
    }  # 8 has no file
    assert {
        whose: found and (found.rules.banned_words, [one.name for one in found.versions])
        for whose, found in in_force.items()
    } == {
        ana: (["free", "bold"], ["workspace version 1", f"user {ana} version 1"]),
        7: (["free"], ["workspace version 1", "user 7 version 1"]),
        8: (["free"], ["workspace version 1"]),
    }
    latest = await read_latest(session, user_id=ana)
    assert latest
    assert latest.user == "Ana"
    assert [one.user_id for one in await list_versions(session, user_id=ana, most=9)] == [ana, None]
    await session.commit()
    assert await add_user(session, name="Bo") not in (ana, 7)  # whose rules they would get


async def test_without_rules_there_are_none_in_force(session: AsyncSession) -> None:
    assert await read_in_force(session, user_id=1) is None
    await save_rules(session, written="{}", user_id=None)
    assert await read_in_force(session, user_id=1) is None


async def test_two_at_once_get_a_version_each(database: Database) -> None:
    async def save(word: str) -> int:
        async with database.session() as session:
            written = f"banned_words: [{word}]"
            stored, _ = await save_rules(session, written=written, user_id=None)
            await session.commit()
            return stored.version

    versions = await asyncio.gather(*(save(word) for word in ("one", "two", "three")))
    assert sorted(versions) == [1, 2, 3]


@pytest.mark.parametrize("user_id", [None, 1])
async def test_the_database_refuses_a_version_twice(
    session: AsyncSession, user_id: int | None
) -> None:
    values = {"user_id": user_id}
    statement = text("INSERT INTO rule_version (user_id, version, source) VALUES (:user_id, 1, '')")
    await session.execute(statement, values)
    with pytest.raises(IntegrityError, match="uq_rule_version_user_id_version"):
        await session.execute(statement, values)
