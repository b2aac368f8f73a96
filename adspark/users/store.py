"""Every statement on users: give a number a name, rename or weigh it, find whom one means, list."""

import re
from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from adspark.models import DEFAULT_USER, DEFAULT_WEIGHT, Role
from adspark.text.quotes import in_quotes
from adspark.validation.bounds import ID, USER_WEIGHT
from adspark.validation.names import check_new_name, clean_name, likeness_key, name_key
from adspark.validation.near_names import MOST_COMPARED, describe_unknown
from adspark.validation.stored import check_storable

_SHOWN = 40  # characters of a name that is refused
_NUMBER = re.compile("[+-]?[0-9]+")

# Whoever adds or renames waits for another one, so that all see the same names.
_LOCK = text("LOCK TABLE app_user IN SHARE ROW EXCLUSIVE MODE")
_INSERT = text("INSERT INTO app_user (user_id, name, name_key) VALUES (:user_id, :name, :key)")
_RENAME = text("UPDATE app_user SET name = :name, name_key = :key WHERE user_id = :user_id")
_BY_NUMBER = text("SELECT name FROM app_user WHERE user_id = :user_id")
_BY_KEY = text("SELECT user_id, name FROM app_user WHERE name_key = :key")
_NAMES = text("SELECT name FROM app_user ORDER BY name_key LIMIT :most")
_ALL_NAMES = text("SELECT user_id, name FROM app_user ORDER BY user_id")
_NAMES_OF = text("SELECT user_id, name FROM app_user WHERE user_id = ANY (:user_ids)")
# All that bears a user's number. The default user is always there.
_OWNED = f"""(
    SELECT {DEFAULT_USER} AS user_id, NULL AS kind
    UNION ALL SELECT user_id, NULL FROM app_user
    UNION ALL SELECT user_id, NULL FROM search_share
    UNION ALL SELECT user_id, NULL FROM generation_budget
    UNION ALL SELECT DISTINCT user_id, NULL FROM generation_use
    UNION ALL SELECT user_id, 'watch' FROM watch
    UNION ALL SELECT user_id, 'board' FROM board
    UNION ALL SELECT DISTINCT user_id, 'tag' || tag FROM creative_tag
    UNION ALL SELECT user_id, 'note' FROM creative_note
    UNION ALL SELECT user_id, 'variant' FROM ad_variant
    UNION ALL SELECT user_id, 'review' FROM variant_feedback
    UNION ALL SELECT user_id, 'rules' FROM rule_version WHERE user_id IS NOT NULL
) AS owned"""  # noqa: S608  (a constant)
_FREE = text(f"""
    SELECT min(number) FROM (
        SELECT CAST(user_id AS bigint) + 1 AS number FROM {_OWNED}
        EXCEPT SELECT user_id FROM {_OWNED}
    ) AS free
""")  # noqa: S608  (a constant)
_LIST = text(f"""
    SELECT owned.user_id, name, CASE WHEN locked_at IS NULL THEN role END AS role,
        CASE WHEN role IS NULL THEN 'no password' WHEN locked_at IS NULL THEN 'active'
            ELSE 'locked' END AS sign_in,
        coalesce(weight, {DEFAULT_WEIGHT}) AS weight,
        count(*) FILTER (WHERE kind = 'watch') AS watches,
        count(*) FILTER (WHERE kind = 'board') AS boards,
        count(*) FILTER (WHERE kind LIKE 'tag%') AS tags,
        count(*) FILTER (WHERE kind = 'note') AS notes,
        count(*) FILTER (WHERE kind = 'variant') AS variants,
        monthly AS generation_budget,
        (SELECT count(*) FROM generation_use u WHERE u.user_id = owned.user_id
            AND used_at >= date_trunc('month', now(), 'UTC')) AS generations_used
    FROM {_OWNED} LEFT JOIN app_user USING (user_id) LEFT JOIN account USING (user_id)
        LEFT JOIN search_share USING (user_id) LEFT JOIN generation_budget USING (user_id)
    GROUP BY owned.user_id, name, role, locked_at, weight, monthly ORDER BY owned.user_id
""")  # noqa: S608  (a constant)
_NEW = text(f"""
    SELECT user_id FROM unnest(CAST(:user_ids AS int[])) AS asked (user_id)
    WHERE NOT EXISTS (SELECT FROM {_OWNED} WHERE owned.user_id = asked.user_id) ORDER BY user_id
""")  # noqa: S608  (a constant)
_WEIGH = text("""
    INSERT INTO search_share (user_id, weight) VALUES (:user_id, :weight)
    ON CONFLICT (user_id) DO UPDATE SET weight = excluded.weight
""")


class SignIn(StrEnum):
    """Whether a user can sign in to the gallery."""

    ACTIVE = "active"
    LOCKED = "locked"
    NO_PASSWORD = "no password"  # noqa: S105  (they never had one)


class UserRow(BaseModel):
    """A user, and how much is theirs."""

    user_id: int
    name: str | None = Field(description="None: nobody has given the number one.")
    sign_in: SignIn
    role: Role | None = Field(description="With which they sign in; None: they cannot.")
    weight: int = Field(description="Their share of the searches of sweeps, beside others'.")
    watches: int
    boards: int
    tags: int
    notes: int = Field(description="Ads with a note or a title of theirs.")
    variants: int
    generation_budget: int | None = Field(description="In a month, at most; None: without one.")
    generations_used: int = Field(description="That were submitted this month (UTC).")


async def list_users(session: AsyncSession) -> list[UserRow]:
    """All users by number, also those without a name of whom anything is stored."""
    rows = await session.execute(_LIST)
    return [UserRow.model_validate(row) for row in rows.mappings()]


async def read_user_names(session: AsyncSession, user_ids: Iterable[int]) -> dict[int, str]:
    """The names of these users, by number; those without one are left out."""
    rows = await session.execute(_NAMES_OF, {"user_ids": list(user_ids)})
    return dict(rows.tuples().all())


async def find_new_users(session: AsyncSession, user_ids: Iterable[int]) -> list[int]:
    """Those of these numbers of which nothing is stored; the default user is always there."""
    return list(await session.scalars(_NEW, {"user_ids": list(user_ids)}))


async def add_user(session: AsyncSession, *, name: str, user_id: int | None = None) -> int:
    """Give a number a name; returns the number. Does not commit.

    Args:
        name: on one line; the same for all ways to write it in upper and lower case.
        user_id: a number without a name; None: the first one of which nothing is stored.

    Raises:
        InvalidQueryError: the name cannot be used, or it or the number is taken.
    """
    kept = _check_user_name(name)
    ID.check("number", user_id)
    await session.execute(_LOCK)
    await _check_free(session, kept, None)
    if user_id is None:
        user_id = int(await session.scalar(_FREE) or 0)
        ID.check("number", user_id)
    elif has := await session.scalar(_BY_NUMBER, {"user_id": user_id}):
        raise InvalidQueryError(
            "number",
            f"user {user_id} is called {in_quotes(has)}",
            command="rename it with: adspark users rename",
        )
    values = {"user_id": user_id, "name": kept, "key": name_key(kept)}
    await session.execute(_INSERT, values)
    return user_id


async def rename_user(session: AsyncSession, *, user_id: int, name: str) -> str:
    """Give a user another name; returns it as it is kept. Does not commit.

    Args:
        user_id: whose name.
        name: the new one.

    Raises:
        InvalidQueryError: the name cannot be used or is taken, or the number has none yet.
    """
    kept = _check_user_name(name)
    await session.execute(_LOCK)
    if await session.scalar(_BY_NUMBER, {"user_id": user_id}) is None:
        raise InvalidQueryError(
            "user",
            f"user {user_id} has no name yet",
            command=f"give it one with: adspark users add NAME --number {user_id}",
        )
    await _check_free(session, kept, user_id)
    await session.execute(_RENAME, {"user_id": user_id, "name": kept, "key": name_key(kept)})
    return kept


async def warn_of_like_name(session: AsyncSession, *, user_id: int) -> str | None:
    """A warning where a user's name looks the same as another's; None where none does."""
    names = dict((await session.execute(_ALL_NAMES)).tuples().all())
    name = names.pop(user_id)
    for other, like in names.items():
        if likeness_key(like) == likeness_key(name):
            return (
                f"name: user {other} is called {in_quotes(like)}, which looks the same as "
                f"{in_quotes(name)} but has other letters; rename one of them with: "
                f"adspark users rename {user_id} NAME"
            )
    return None


async def weigh_user(session: AsyncSession, *, user_id: int, weight: int) -> None:
    """Set a user's share of the searches of sweeps, beside others'. Does not commit.

    Args:
        user_id: whose share, with a name or without.
        weight: 1 to 100; who was given none has 1.

    Raises:
        InvalidQueryError: the weight or the number is out of bounds.
    """
    ID.check("user", user_id)
    USER_WEIGHT.check("weight", weight)
    await session.execute(_WEIGH, {"user_id": user_id, "weight": weight})


def parse_number(written: str) -> int | None:
    """The number of a user; None where a name is written.

    Raises:
        InvalidQueryError: it is a number that no user can have.
    """
    number = clean_name(written)
    if not _NUMBER.fullmatch(number):
        return None
    found = int(number[:_SHOWN])
    ID.check("user", found)
    return found


async def find_user(session: AsyncSession, *, written: str) -> int:
    """The number of the user that a person means, by number or by name.

    Raises:
        InvalidQueryError: nobody has this name; says which are spelled like it.
    """
    check_storable("user", written)
    if (number := parse_number(written)) is not None:
        return number
    key = name_key(clean_name(written))
    found: int | None = await session.scalar(_BY_KEY, {"key": key})
    if found is not None:
        return found
    names = await session.scalars(_NAMES, {"most": MOST_COMPARED})
    unknown = f"there is no user {in_quotes(clean_name(written)[:_SHOWN])}"
    raise InvalidQueryError(
        "user",
        describe_unknown(unknown, clean_name(written), names),
        command="those there are: adspark users list",
    )


def _check_user_name(written: str) -> str:
    name = check_new_name(written, "user")
    key = name_key(name).lstrip("+-")
    if key.isdecimal() or not key:
        raise InvalidQueryError(
            "name", f"{name[:_SHOWN]!r} would be taken for a number; write a letter in it."
        )
    if ":" in name:  # which HTTP Basic takes for the end of the name (RFC 7617, 2)
        raise InvalidQueryError(
            "name", "holds a colon, with which programs cannot sign in; write it without."
        )
    return name


async def _check_free(session: AsyncSession, name: str, user_id: int | None) -> None:
    taken = (await session.execute(_BY_KEY, {"key": name_key(name)})).one_or_none()
    if taken is not None and taken.user_id != user_id:
        raise InvalidQueryError(
            "name",
            f"user {taken.user_id} is called {in_quotes(taken.name[:_SHOWN])} already; "
            f"choose another name.",
        )
