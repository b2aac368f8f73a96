"""Every statement on boards: users' named collections of stored ads, which stay at clean-up."""

from collections.abc import Collection, Sequence
from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from adspark.creatives.ad_locks import lock_ads
from adspark.creatives.store import NewCreative
from adspark.errors import InvalidQueryError
from adspark.models import Board, CreativeFormat
from adspark.text.quotes import in_quotes
from adspark.users.remedies import for_user
from adspark.validation.bounds import ID
from adspark.validation.names import check_name, check_new_name, check_visible, name_key
from adspark.validation.near_names import describe_unknown
from adspark.validation.stored import check_storable

_MOST_NAMED = 10  # boards or ads in an error

# Of two who name boards alike at once, the second sees the first's.
_LOCK_NAMES = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('boards of ' || CAST(:user_id AS text), 0))"
)
_CREATE = text("""
    INSERT INTO board (user_id, name) VALUES (:user_id, :name)
    ON CONFLICT (user_id, name) DO NOTHING RETURNING id
""")
_LIST = text("""
    SELECT id, user_id, name, created_at,
        (SELECT count(*) FROM board_creative WHERE board_id = b.id) AS ads
    FROM board b WHERE user_id = :user_id ORDER BY lower(name), name
""")
_DELETE = text("DELETE FROM board WHERE id = :board_id RETURNING id")
# In the order of their keys, so that two who add at once cannot deadlock.
_ADD_ADS = text("""
    INSERT INTO board_creative (board_id, ad_creative_id, place)
    SELECT :board_id, id,
        (SELECT coalesce(min(place), 0) - 1 FROM board_creative WHERE board_id = :board_id)
    FROM unnest(CAST(:ids AS text[])) AS id ORDER BY id
    ON CONFLICT DO NOTHING RETURNING ad_creative_id
""")
# Pictures of theirs that clean-up has removed for want of room are archived again.
_WANT_PICTURES = text("""
    WITH wanted AS (
        SELECT id FROM picture_version
        WHERE ad_creative_id = ANY (CAST(:ids AS text[])) AND status = 'removed'
            AND source_url IS NOT NULL
        ORDER BY id FOR UPDATE
    )
    UPDATE picture_version v SET status = 'pending', attempts = 0, next_attempt_at = now(),
        failure = NULL
    FROM wanted WHERE v.id = wanted.id
""")
_REMOVE_ADS = text("""
    DELETE FROM board_creative
    WHERE board_id = :board_id AND ad_creative_id = ANY (CAST(:ids AS text[]))
    RETURNING ad_creative_id
""")
_READ_ADS = text("""
    SELECT ad_creative_id, a.name AS advertiser, c.format,
        nullif(c.width, 0) || ' × ' || nullif(c.height, 0) AS size, c.target_domain,
        c.first_shown, c.last_shown, c.total_days_shown AS days_shown, c.details_link AS link,
        b.added_at, b.note
    FROM board_creative b JOIN creative c USING (ad_creative_id)
        JOIN advertiser a USING (advertiser_id)
    WHERE b.board_id = :board_id ORDER BY b.place, b.added_at DESC, ad_creative_id
""")


class BoardRow(BaseModel):
    """A board in a list, with the number of its ads."""

    id: int
    user_id: int
    name: str
    created_at: datetime
    ads: int


class BoardAd(NewCreative):
    """An ad on a board as it is shown to a person."""

    format: CreativeFormat
    added_at: datetime
    note: str | None = None


async def create_board(session: AsyncSession, *, user_id: int, name: str) -> str:
    """Make an empty board; returns its name as it is kept.

    Args:
        session: of the caller, which commits.
        user_id: whose it is.
        name: of up to 100 characters; blanks at its ends are dropped.

    Raises:
        InvalidQueryError: the name cannot be used, or the user has a board of this name.
    """
    ID.check("user_id", user_id)
    kept = check_new_name(name, "board")
    there = await find_alike(session, user_id=user_id, name=kept)
    if there or await session.scalar(_CREATE, {"user_id": user_id, "name": kept}) is None:
        raise InvalidQueryError(
            "name",
            f"user {user_id} has a board {in_quotes(there or kept)} already; choose another name",
            command=f"or put ads on that one with: adspark board add{for_user(user_id)}",
        )
    return kept


async def find_board(session: AsyncSession, *, user_id: int, name: str) -> Board:
    """The user's board of this name, locked until the transaction's end.

    Args:
        session: of the caller, which commits.
        user_id: whose it is.
        name: in any case of letters where only one board is called so.

    Raises:
        InvalidQueryError: there is none; names those that there are.
    """
    ID.check("user_id", user_id)
    wanted = check_name(name, "board")
    found = await _find_named(session, user_id, wanted)
    if found is None:
        known = [board.name for board in await list_boards(session, user_id=user_id)]
        alike = _pick(known, wanted)
        found = None if alike is None else await _find_named(session, user_id, alike)
    if found is None:
        unknown = f"user {user_id} has no board {in_quotes(wanted)}"
        whose = for_user(user_id)
        raise InvalidQueryError(
            "name",
            describe_unknown(unknown, wanted, known, otherwise=_choice(known)),
            command=f"{'or ' if known else ''}make it with: adspark board create{whose}; all "
            f"boards: adspark board list{whose}",
        )
    return found


async def find_or_create_board(
    session: AsyncSession, *, user_id: int, name: str
) -> tuple[Board, bool]:
    """The user's board of this name in any case, made where there is none; whether it was made.

    Of several who ask for the same at once one makes it, and all get it.

    Args:
        session: of the caller, which commits.
        user_id: whose it is.
        name: in any case of letters.

    Raises:
        InvalidQueryError: the name cannot be used.
    """
    ID.check("user_id", user_id)
    kept = check_name(name, "board")
    if there := await find_alike(session, user_id=user_id, name=kept):
        return await find_board(session, user_id=user_id, name=there), False
    check_visible("name", kept)
    made = await session.scalar(_CREATE, {"user_id": user_id, "name": kept})
    return await find_board(session, user_id=user_id, name=kept), made is not None


async def find_alike(
    session: AsyncSession, *, user_id: int, name: str, besides: int | None = None
) -> str | None:
    """The name of the user's board that is called so, but for the case of letters and what is not
    seen.

    Until the transaction's end nobody else gives a board of this user a name.

    Args:
        user_id: whose boards.
        name: as it is kept.
        besides: a board that does not count.
    """
    await session.execute(_LOCK_NAMES, {"user_id": user_id})
    known = [one.name for one in await list_boards(session, user_id=user_id) if one.id != besides]
    return _pick(known, name)


async def _find_named(session: AsyncSession, user_id: int, name: str) -> Board | None:
    found: Board | None = await session.scalar(
        select(Board)
        .where(col(Board.user_id) == user_id, col(Board.name) == name)
        .with_for_update(read=True, key_share=True)
    )
    return found


def _pick(known: Sequence[str], name: str) -> str | None:
    """The known name that is meant: this one, else one that looks like it."""
    key = name_key(name)
    return name if name in known else next((one for one in known if name_key(one) == key), None)


async def read_board(
    session: AsyncSession, *, user_id: int, board_id: int, to_change: bool = False
) -> Board | None:
    """The user's board of this number; None where it is not there.

    Args:
        user_id: whose it is.
        board_id: its number.
        to_change: lock it, so that another change of it waits until the transaction's end.
    """
    own = select(Board).where(col(Board.user_id) == user_id, col(Board.id) == board_id)
    found: Board | None = await session.scalar(
        own.with_for_update(key_share=True) if to_change else own
    )
    return found


async def list_boards(session: AsyncSession, *, user_id: int) -> list[BoardRow]:
    """The user's boards, by name."""
    rows = await session.execute(_LIST, {"user_id": user_id})
    return [BoardRow.model_validate(row) for row in rows.mappings()]


async def delete_board(session: AsyncSession, *, board_id: int) -> bool:
    """Delete a board; its ads stay, as long as others do. False: there is none."""
    return await session.scalar(_DELETE, {"board_id": board_id}) is not None


async def add_ads(session: AsyncSession, *, board_id: int, ids: Collection[str]) -> list[str]:
    """Put stored ads on a board, all or none; returns those that were not on it before.

    Their pictures that were removed are archived again by the next run.

    Args:
        session: of the caller, which commits.
        board_id: of a board that is locked.
        ids: of the ads: CR and 20 digits.

    Raises:
        InvalidQueryError: an ad is not stored, or was cleaned up just now; names some of them.
    """
    locked = await lock_ads(session, ids=ids)
    added = list(await session.scalars(_ADD_ADS, {"board_id": board_id, "ids": locked}))
    await session.execute(_WANT_PICTURES, {"ids": added})
    return added


async def remove_ads(session: AsyncSession, *, board_id: int, ids: Collection[str]) -> list[str]:
    """Take ads off a board; returns those that were on it.

    Args:
        session: of the caller, which commits.
        board_id: of a board that is locked.
        ids: of the ads; what is not on it is passed over.
    """
    for ad_creative_id in ids:
        check_storable("ads", ad_creative_id)
    return list(await session.scalars(_REMOVE_ADS, {"board_id": board_id, "ids": list(ids)}))


async def read_ads(session: AsyncSession, *, board_id: int) -> list[BoardAd]:
    """The ads on a board in its order; those added since it was last ordered come first."""
    rows = await session.execute(_READ_ADS, {"board_id": board_id})
    return [BoardAd.model_validate(row) for row in rows.mappings()]


def _choice(known: list[str]) -> str:
    """What to name instead, where there is any."""
    named = ", ".join(map(in_quotes, known[:_MOST_NAMED]))
    return f"; name one of {named}{', …' if len(known) > _MOST_NAMED else ''}" if known else ""
