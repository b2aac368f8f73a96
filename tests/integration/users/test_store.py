"""Users' names: one a number, alike names are the same, and a number stands for itself."""

import asyncio

import pytest

from adspark.db.engine import Database
from adspark.errors import AdSparkError, InvalidQueryError
from adspark.library.marks.tags import tag_ads
from adspark.users.store import add_user, find_user, list_users, rename_user
from tests.support.library import ad
from tests.support.stored_ads import change, stock


async def test_a_user_is_found_by_number_or_name(database: Database) -> None:
    await stock(database, ads=1)
    async with database.session() as session:
        assert await add_user(session, name="Ana Müller") == 2  # 1 is who names none
        await tag_ads(session, user_id=40, tag="t", ids=[ad(1)])
        assert await add_user(session, name="ben") == 3  # the first that is free
        assert await add_user(session, name="STRASSE", user_id=40) == 40
        for written, number in (
            ("2", 2), (" 7 ", 7), ("ana müller", 2), ("\u200bANA MU\u0308LLER", 2), ("straße", 40),
        ):  # fmt: skip
            assert (written, await find_user(session, written=written)) == (written, number)
        assert await rename_user(session, user_id=2, name=" Anna ") == "Anna"
        assert await rename_user(session, user_id=2, name="ANNA") == "ANNA"
        named = [(one.user_id, one.name, one.tags) for one in await list_users(session)]
        for written, message in (
            ("Ana", "user: there is no user 'Ana'; did you mean 'ANNA'?"),
            ("zzzz", "user: there is no user 'zzzz'; those there are: adspark users list"),
            ("ana müller", "user: there is no user 'ana müller'"),
            ("0", "user: must be 1 or more, not 0."),
            ("9" * 5000, "user: must be 1 to 2147483647"),
            ("a\x00", "user: holds a NUL"),
        ):
            with pytest.raises(InvalidQueryError) as raised:
                await find_user(session, written=written)
            assert str(raised.value).startswith(message)
    assert named == [(1, None, 0), (2, "ANNA", 0), (3, "ben", 0), (40, "STRASSE", 1)]


async def test_a_name_or_number_that_cannot_be_used_is_told(database: Database) -> None:
    async with database.session() as session:
        await add_user(session, name="ana")
        for name, number, message in (
            ("ANA", None, "name: user 2 is called 'ana' already; choose another name."),
            ("ben", 2, "number: user 2 is called 'ana'; rename it with: adspark users rename"),
            ("ben", 0, "number: must be 1 or more, not 0."),
            ("-5", None, "name: '-5' would be taken for a number"),
            ("17", None, "name: '17' would be taken for a number; write a letter in it."),
            ("\uff11\uff17", None, "name: '\uff11\uff17' would be taken for a number"),
            (" \u200b", None, "name: is empty; name the user."),
            ("x" * 101, None, "name: has 101 characters; shorten it to 100."),
            ("a\u202eb", None, "name: holds invisible characters ('a\\u202eb')"),
            ("a\u2068b", None, "name: holds invisible characters"),
            ("a\nb", None, "name: holds a control character"),
            ("a:b", None, "name: holds a colon, with which programs cannot sign in; write it w"),
        ):
            with pytest.raises(InvalidQueryError) as raised:
                await add_user(session, name=name, user_id=number)
            assert str(raised.value).startswith(message)
        with pytest.raises(InvalidQueryError, match="user 5 has no name yet; give it one with"):
            await rename_user(session, user_id=5, name="ben")
        await add_user(session, name="ben", user_id=5)
        with pytest.raises(InvalidQueryError, match="name: user 2 is called 'ana' already"):
            await rename_user(session, user_id=5, name="Ana")


async def test_the_largest_number_leaves_the_others_free(database: Database) -> None:
    async with database.session() as session:
        await add_user(session, name="last", user_id=2**31 - 1)
        assert await add_user(session, name="ana") == 2


async def test_of_two_at_once_one_has_the_name_and_no_number_is_given_twice(
    database: Database,
) -> None:
    async def add(name: str) -> int:
        async with database.transaction() as session:
            return await add_user(session, name=name)

    given = await asyncio.gather(*map(add, ["ana", "Ana", "ben", "cleo"]), return_exceptions=True)
    numbers = [one for one in given if isinstance(one, int)]
    assert sorted(numbers) == [2, 3, 4]
    assert [type(one) for one in given if not isinstance(one, int)] == [InvalidQueryError]


async def test_the_database_itself_refuses_a_second_name_or_one_like_a_number(
    database: Database,
) -> None:
    async with database.transaction() as session:
        await add_user(session, name="ana")
    for values in ("(3, 'ANA', 'ana')", "(2, 'b', 'b')", "(3, '17', '17')", "(3, '', 'b')"):
        with pytest.raises(AdSparkError, match="constraint"):
            await change(
                database, f"INSERT INTO app_user (user_id, name, name_key) VALUES {values}"
            )
