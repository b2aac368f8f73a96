"""What users write on stored ads: tags, and a title and a note; each user's own.

An ad stays at clean-up as long as it has any of them.
"""

from collections.abc import Collection

from pydantic import BaseModel
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.ad_locks import lock_ads
from adspark.errors import InvalidQueryError
from adspark.validation.bounds import COMMENT, ID, TEXT
from adspark.validation.names import check_line, check_name, clean_name
from adspark.validation.stored import check_storable

_TAG = text("""
    INSERT INTO creative_tag (user_id, tag, ad_creative_id)
    SELECT :user_id, :tag, id FROM unnest(CAST(:ids AS text[])) AS id ORDER BY id
    ON CONFLICT DO NOTHING RETURNING ad_creative_id
""")
_UNTAG = text("""
    DELETE FROM creative_tag WHERE user_id = :user_id AND tag = :tag
        AND ad_creative_id = ANY (CAST(:ids AS text[])) RETURNING ad_creative_id
""")
_TAGS = text("""
    SELECT tag, count(*) AS ads FROM creative_tag WHERE user_id = :user_id
    GROUP BY tag ORDER BY lower(tag), tag
""")
_WRITE = {
    name: text(f"""
        INSERT INTO creative_note (user_id, ad_creative_id, {name}) VALUES (:user_id, :ad, :value)
        ON CONFLICT (user_id, ad_creative_id) DO UPDATE SET {name} = excluded.{name}
    """)  # noqa: S608  (one of two constants)
    for name in ("title", "note")
}
_REMOVE_EMPTY = text("""
    DELETE FROM creative_note WHERE user_id = :user_id AND ad_creative_id = :ad
        AND title IS NULL AND note IS NULL
""")


class TagRow(BaseModel):
    """A user's tag, with the number of ads that have it."""

    tag: str
    ads: int


async def list_tags(session: AsyncSession, *, user_id: int) -> list[TagRow]:
    """The user's tags, by name."""
    rows = await session.execute(_TAGS, {"user_id": user_id})
    return [TagRow.model_validate(row) for row in rows.mappings()]


async def tag_ads(
    session: AsyncSession, *, user_id: int, tag: str, ids: Collection[str]
) -> list[str]:
    """Put a tag on stored ads: on all or, where one is not stored, on none. Does not commit.

    Args:
        session: of the database.
        user_id: whose tag.
        tag: as `check_tag` takes it.
        ids: of the ads.

    Returns:
        Those that did not have it.

    Raises:
        InvalidQueryError: the tag cannot be used, or an ad is not stored.
    """
    return await _change_tag(session, _TAG, user_id, tag, ids)


async def untag_ads(
    session: AsyncSession, *, user_id: int, tag: str, ids: Collection[str]
) -> list[str]:
    """Take a tag off ads; returns those that had it. Does not commit.

    Args:
        session: of the database.
        user_id: whose tag.
        tag: the tag.
        ids: of the ads.

    Raises:
        InvalidQueryError: the tag cannot be used, or an ad is not stored.
    """
    return await _change_tag(session, _UNTAG, user_id, tag, ids)


async def write_title(
    session: AsyncSession, *, user_id: int, ad_creative_id: str, title: str | None
) -> None:
    """Give an ad a title, or with None or an empty one take it away. Does not commit.

    Args:
        session: of the database.
        user_id: whose title.
        ad_creative_id: of the ad.
        title: on one line.

    Raises:
        InvalidQueryError: the title cannot be used, or the ad is not stored.
    """
    if title is not None:
        TEXT.check("title", title)
        check_line("title", title)
    await _write(session, "title", user_id, ad_creative_id, clean_name(title or ""))


async def write_note(
    session: AsyncSession, *, user_id: int, ad_creative_id: str, note: str | None
) -> None:
    """Write a note on an ad, or with None or an empty one remove it. Does not commit.

    Args:
        session: of the database.
        user_id: whose note.
        ad_creative_id: of the ad.
        note: may have several lines.

    Raises:
        InvalidQueryError: the note cannot be used, or the ad is not stored.
    """
    COMMENT.check("note", note)
    await _write(session, "note", user_id, ad_creative_id, (note or "").strip())


def check_tag(written: str) -> str:
    """The tag as it is kept.

    Raises:
        InvalidQueryError: it is empty, too long or holds control characters.
    """
    try:
        return check_name(written, "tag")
    except InvalidQueryError as error:
        raise InvalidQueryError("tag", str(error).partition(": ")[2]) from error


async def _change_tag(
    session: AsyncSession, statement: TextClause, user_id: int, tag: str, ids: Collection[str]
) -> list[str]:
    ID.check("user_id", user_id)
    values: dict[str, object] = {"user_id": user_id, "tag": check_tag(tag)}
    values["ids"] = await lock_ads(session, ids=ids, alone=True)  # in the triggers' order
    return list(await session.scalars(statement, values))


async def _write(
    session: AsyncSession, what: str, user_id: int, ad_creative_id: str, value: str
) -> None:
    ID.check("user_id", user_id)
    check_storable(what, value)
    await lock_ads(session, ids=[ad_creative_id], alone=True)
    values = {"user_id": user_id, "ad": ad_creative_id, "value": value or None}
    await session.execute(_WRITE[what], values)
    await session.execute(_REMOVE_EMPTY, values)
