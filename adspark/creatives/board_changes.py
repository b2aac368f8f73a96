"""Changes to a board that several may make at once: its name, its order and the notes on it.

Each is made to what its user saw, and to nothing else: what they saw has a version, which the
statement compares. Of two who change the same the second gets `ChangedMeanwhileError`; whoever asks
for what is so already, as by a form that is sent twice, gets it.
"""

import hashlib
from collections.abc import Iterable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.boards import find_alike
from adspark.errors import ChangedMeanwhileError, InvalidQueryError
from adspark.models import Board
from adspark.text.quotes import in_quotes
from adspark.validation.names import check_new_name
from adspark.validation.notes import check_note, clean_note
from adspark.validation.stored import check_storable

_VERSION = "left(encode(sha256(convert_to({}, 'UTF8')), 'hex'), 16)"
_ORDER = """(
    SELECT coalesce(
        string_agg(ad_creative_id, ' ' ORDER BY place, added_at DESC, ad_creative_id), ''
    ) FROM board_creative WHERE board_id = :board_id
)"""
_MOVE = text(f"""
    WITH others AS (
        SELECT ad_creative_id,
            row_number() OVER (ORDER BY place, added_at DESC, ad_creative_id) AS place
        FROM board_creative WHERE board_id = :board_id AND ad_creative_id <> :ad
    ), wanted AS (
        SELECT coalesce(
            (SELECT place FROM others WHERE ad_creative_id = :before),
            (SELECT count(*) + 1 FROM others)
        ) AS place
    )
    UPDATE board_creative b SET place = CASE
        WHEN b.ad_creative_id = :ad THEN w.place
        ELSE o.place + CASE WHEN o.place >= w.place THEN 1 ELSE 0 END
    END
    FROM wanted w LEFT JOIN others o ON true
    WHERE b.board_id = :board_id
        AND (b.ad_creative_id = o.ad_creative_id OR b.ad_creative_id = :ad)
        AND {_VERSION.format(_ORDER)} = :version
    RETURNING b.ad_creative_id
""")  # noqa: S608  (put together from constants)
_IS_BEFORE = text("""
    SELECT FROM (
        SELECT ad_creative_id,
            lead(ad_creative_id, 1, '') OVER (ORDER BY place, added_at DESC, ad_creative_id) AS next
        FROM board_creative WHERE board_id = :board_id
    ) AS placed WHERE ad_creative_id = :ad AND next = :before
""")
_NOTE = text(f"""
    UPDATE board_creative SET note = nullif(:note, '')
    WHERE board_id = :board_id AND ad_creative_id = :ad
        AND ({_VERSION.format("coalesce(note, '')")} = :version OR coalesce(note, '') = :note)
    RETURNING ad_creative_id
""")  # noqa: S608  (put together from constants)
_HAS = text("SELECT FROM board_creative WHERE board_id = :board_id AND ad_creative_id = :ad")
_RENAME = text(f"""
    UPDATE board SET name = :name
    WHERE id = :board_id AND ({_VERSION.format("name")} = :version OR name = :name) RETURNING id
""")  # noqa: S608  (put together from constants)


def version_of(written: str | None) -> str:
    """The version of a name or a note: the same as long as the text is."""
    return hashlib.sha256((written or "").encode()).hexdigest()[:16]


def version_of_order(ids: Iterable[str]) -> str:
    """The version of a board's order: the same as long as the same ads are in the same order."""
    return version_of(" ".join(ids))


async def move_ad(
    session: AsyncSession, *, board_id: int, ad: str, before: str | None, version: str
) -> None:
    """Move an ad of a board before another one of it, or to the end. Does not commit.

    Args:
        session: of the database, of a transaction that has locked the board.
        board_id: of the board.
        ad: what is moved.
        before: None, or an ad that is not on the board: the end.
        version: of the order that its user saw.

    Raises:
        ChangedMeanwhileError: the order is another one, or the ad is not on the board any more.
    """
    for one in (ad, before or "", version):
        check_storable("ad", one)
    values = {"board_id": board_id, "ad": ad, "before": before or "", "version": version}
    if (await session.execute(_MOVE, values)).first() is not None:
        return
    if (await session.execute(_IS_BEFORE, values)).first() is None:
        raise ChangedMeanwhileError("Somebody has ordered or filled the board meanwhile.")


async def write_board_note(
    session: AsyncSession, *, board_id: int, ad: str, note: str, version: str
) -> None:
    """Write what an ad is on a board for, or take it away with a blank note. Does not commit.

    Args:
        board_id: of the board.
        ad: the ad.
        note: may have several lines.
        version: of the note that its user saw.

    Raises:
        InvalidQueryError: the note cannot be used, or the ad is not on the board.
        ChangedMeanwhileError: the note is another one.
    """
    check_note("note", note)
    for one in (ad, version):
        check_storable("note", one)
    place = {"board_id": board_id, "ad": ad}
    values = place | {"note": clean_note(note), "version": version}
    if (await session.execute(_NOTE, values)).first() is not None:
        return
    if (await session.execute(_HAS, place)).first() is None:
        raise InvalidQueryError("ad", f"{ad[:40]} is not on the board any more.")
    raise ChangedMeanwhileError("Somebody has changed the note meanwhile.")


async def rename_board(session: AsyncSession, *, board: Board, name: str, version: str) -> str:
    """Give a board another name; returns it as it is kept. Does not commit.

    Args:
        session: of the database, of a transaction that has locked the board.
        board: which one.
        name: the new one.
        version: of the name that its user saw.

    Raises:
        InvalidQueryError: the name cannot be used, or another board of the user has it, but for
            the case of letters.
        ChangedMeanwhileError: the board is called otherwise by now.
    """
    kept = check_new_name(name, "board")
    check_storable("name", version)
    there = await find_alike(session, user_id=board.user_id, name=kept, besides=board.id)
    if there is not None:
        raise InvalidQueryError(
            "name", f"you have a board {in_quotes(there)} already; choose another name."
        )
    values = {"board_id": board.id, "name": kept, "version": version}
    if await session.scalar(_RENAME, values) is None:
        raise ChangedMeanwhileError("Somebody has renamed the board meanwhile.")
    return kept
