"""Users' tags on stored ads, each user's own or shared; an ad with one stays at clean-up.

Tags that differ in case only are one, written as its user wrote it first; the database sees to it.
"""

from collections.abc import Collection

from pydantic import BaseModel, Field
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.ad_locks import lock_ads
from adspark.errors import InvalidQueryError
from adspark.library.marks.sharing import VISIBLE_TAGS
from adspark.text.quotes import in_quotes
from adspark.users.remedies import for_user
from adspark.validation.bounds import ID
from adspark.validation.names import check_name, check_visible

# The user's tag as it is kept; NULL where there is none.
_KEPT = """(
    SELECT tag FROM user_tag WHERE user_id = :user_id AND tag_key(tag) = tag_key(:tag)
)"""
_TAG = text("""
    INSERT INTO creative_tag (user_id, tag, ad_creative_id)
    SELECT :user_id, :tag, id FROM unnest(CAST(:ids AS text[])) AS id ORDER BY id
    ON CONFLICT DO NOTHING RETURNING ad_creative_id
""")
_UNTAG = text(f"""
    DELETE FROM creative_tag WHERE user_id = :user_id AND tag = {_KEPT}
        AND ad_creative_id = ANY (CAST(:ids AS text[])) RETURNING ad_creative_id
""")  # noqa: S608  (put together from a constant)
_TAGS = text(f"""
    SELECT tag, count(*) AS ads, user_id, u.name AS user, user_id = :user_id AS is_own,
        EXISTS (SELECT FROM shared_tag s WHERE (s.user_id, s.tag) = (v.user_id, v.tag)) AS is_shared
    FROM ({VISIBLE_TAGS}) AS v JOIN creative_tag USING (tag, user_id)
        LEFT JOIN app_user u USING (user_id)
    GROUP BY tag, v.user_id, v.tag, user_id, u.name
    ORDER BY user_id <> :user_id, lower(tag), tag, user_id
""")  # noqa: S608  (put together from a constant)
_SHARE_TAG = text(f"""
    INSERT INTO shared_tag (user_id, tag) SELECT :user_id, tag FROM {_KEPT} AS k (tag)
    WHERE tag IS NOT NULL ON CONFLICT DO NOTHING
""")  # noqa: S608  (put together from a constant)
_HAS = text(f"SELECT FROM creative_tag WHERE user_id = :user_id AND tag = {_KEPT} LIMIT 1")
_UNSHARE_TAG = text(f"DELETE FROM shared_tag WHERE user_id = :user_id AND tag = {_KEPT}")  # noqa: S608  (as above)
# Who tags an ad meanwhile holds the row till then, so that what is deleted next has no ad.
_LOCK = text("""
    SELECT FROM user_tag WHERE user_id = :user_id AND tag_key(tag) = tag_key(:tag) FOR UPDATE
""")
# So that a tag that is used anew one day is written as it is then, and not shared unasked.
_DELETE_UNUSED = text("""
    DELETE FROM user_tag k WHERE user_id = :user_id AND tag_key(tag) = tag_key(:tag)
        AND NOT EXISTS (
            SELECT FROM creative_tag t WHERE (t.user_id, t.tag) = (k.user_id, k.tag)
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
        user_id: whose tag.
        tag: as `check_tag` takes it.
        ids: of the ads.

    Returns:
        Those that did not have it.

    Raises:
        InvalidQueryError: the tag cannot be used, or an ad is not stored.
    """
    check_visible("tag", check_tag(tag))
    return await _change_tag(session, _TAG, user_id, tag, ids)


async def untag_ads(
    session: AsyncSession, *, user_id: int, tag: str, ids: Collection[str]
) -> list[str]:
    """Take a tag off ads; returns those that had it. Does not commit.

    A tag that no ad has any more is no longer shared.

    Args:
        user_id: whose tag.
        tag: the tag.
        ids: of the ads.

    Raises:
        InvalidQueryError: the tag cannot be used, or an ad is not stored.
    """
    removed = await _change_tag(session, _UNTAG, user_id, tag, ids)
    values = {"user_id": user_id, "tag": check_tag(tag)}
    await session.execute(_LOCK, values)
    await session.execute(_DELETE_UNUSED, values)
    return removed


async def share_tag(session: AsyncSession, *, user_id: int, tag: str, is_shared: bool) -> None:
    """Let all users see a user's tag, on whatever ads it is, or no longer. Does not commit.

    Args:
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
            "tag",
            f"you have no tag {in_quotes(str(values['tag']))}",
            command=f"those there are: adspark ads tag{for_user(user_id)}",
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
