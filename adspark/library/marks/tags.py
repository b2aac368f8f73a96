"""Users' tags on stored ads, each user's own or shared; an ad with one stays at clean-up."""

from collections.abc import Collection

from pydantic import BaseModel, Field
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.ad_locks import lock_ads
from adspark.errors import InvalidQueryError
from adspark.library.marks.sharing import VISIBLE_TAGS
from adspark.validation.bounds import ID
from adspark.validation.names import check_name

_TAG = text("""
    INSERT INTO creative_tag (user_id, tag, ad_creative_id)
    SELECT :user_id, :tag, id FROM unnest(CAST(:ids AS text[])) AS id ORDER BY id
    ON CONFLICT DO NOTHING RETURNING ad_creative_id
""")
_UNTAG = text("""
    DELETE FROM creative_tag WHERE user_id = :user_id AND tag = :tag
        AND ad_creative_id = ANY (CAST(:ids AS text[])) RETURNING ad_creative_id
""")
_TAGS = text(f"""
    SELECT tag, count(*) AS ads, user_id, u.name AS user, user_id = :user_id AS is_own,
        EXISTS (SELECT FROM shared_tag s WHERE (s.user_id, s.tag) = (v.user_id, v.tag)) AS is_shared
    FROM ({VISIBLE_TAGS}) AS v JOIN creative_tag USING (tag, user_id)
        LEFT JOIN app_user u USING (user_id)
    GROUP BY tag, v.user_id, v.tag, user_id, u.name
    ORDER BY user_id <> :user_id, lower(tag), tag, user_id
""")  # noqa: S608  (put together from a constant)
_SHARE_TAG = text("""
    INSERT INTO shared_tag (user_id, tag) VALUES (:user_id, :tag) ON CONFLICT DO NOTHING
""")
_HAS = text("SELECT FROM creative_tag WHERE user_id = :user_id AND tag = :tag LIMIT 1")
_UNSHARE_TAG = text("DELETE FROM shared_tag WHERE user_id = :user_id AND tag = :tag")
# So that a tag that is used anew one day is not shared unasked.
_UNSHARE_UNUSED = text("""
    DELETE FROM shared_tag s WHERE user_id = :user_id AND tag = :tag AND NOT EXISTS (
        SELECT FROM creative_tag t WHERE (t.user_id, t.tag) = (s.user_id, s.tag)
    )
""")


class TagRow(BaseModel):
    """A tag that a user sees, with the number of ads that have it."""

    tag: str
    ads: int
    user_id: int = Field(description="Whose it is.")
    user: str | None = Field(description="Their name.")
    is_own: bool
    is_shared: bool = Field(description="All users see it.")


async def list_tags(session: AsyncSession, *, user_id: int) -> list[TagRow]:
    """The user's tags, then those that others share, by name."""
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

    A tag that no ad has any more is no longer shared.

    Args:
        session: of the database.
        user_id: whose tag.
        tag: the tag.
        ids: of the ads.

    Raises:
        InvalidQueryError: the tag cannot be used, or an ad is not stored.
    """
    removed = await _change_tag(session, _UNTAG, user_id, tag, ids)
    await session.execute(_UNSHARE_UNUSED, {"user_id": user_id, "tag": check_tag(tag)})
    return removed


async def share_tag(session: AsyncSession, *, user_id: int, tag: str, is_shared: bool) -> None:
    """Let all users see a user's tag, on whatever ads it is, or no longer. Does not commit.

    Args:
        session: of the database.
        user_id: whose tag.
        tag: the tag.
        is_shared: whether all see it.

    Raises:
        InvalidQueryError: the tag cannot be used, or no ad has it.
    """
    ID.check("user_id", user_id)
    values = {"user_id": user_id, "tag": check_tag(tag)}
    if (await session.execute(_HAS, values)).first() is None:
        raise InvalidQueryError(
            "tag", f"you have no tag {values['tag']!r}; those there are: adspark ads tag"
        )
    await session.execute(_SHARE_TAG if is_shared else _UNSHARE_TAG, values)


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
