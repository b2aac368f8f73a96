"""What a user sees of an ad's tags, and their own title and note on it with the version of each."""

import hashlib
from typing import Literal

from pydantic import BaseModel, Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.ad_locks import lock_ads

_OWN = text("""
    SELECT title, is_title_shared, note, is_note_shared FROM creative_note
    WHERE user_id = :user_id AND ad_creative_id = :ad
""")
_TAGS = text("""
    SELECT t.tag, t.user_id, u.name AS user, t.user_id = :user_id AS is_own,
        s.tag IS NOT NULL AS is_shared
    FROM creative_tag t LEFT JOIN shared_tag s USING (user_id, tag)
        LEFT JOIN app_user u USING (user_id)
    WHERE t.ad_creative_id = :ad AND (t.user_id = :user_id OR s.tag IS NOT NULL)
    ORDER BY t.user_id <> :user_id, lower(t.tag), t.tag, t.user_id
""")


class OwnText(BaseModel):
    """A user's title of an ad, or their note on it."""

    text: str = Field(default="", description="Empty: there is none.")
    is_shared: bool = Field(default=False, description="All users see it.")

    @property
    def version(self) -> str:
        """The same as long as neither the text nor who sees it is changed."""
        content = f"{self.is_shared:d}{self.text}"
        return hashlib.sha256(content.encode()).hexdigest()[:16]


class AdTag(BaseModel):
    """A tag of an ad."""

    tag: str
    user_id: int = Field(description="Whose it is.")
    user: str | None = Field(description="Their name.")
    is_own: bool
    is_shared: bool = Field(description="All users see it.")


class AdMarks(BaseModel):
    """A user's own title and note, and the tags that they see: their own, then shared ones."""

    title: OwnText
    note: OwnText
    tags: list[AdTag]


async def read_marks(session: AsyncSession, *, ad_creative_id: str, user_id: int) -> AdMarks:
    """What a user sees of an ad's tags, and their own title and note; empty where it has none.

    Args:
        ad_creative_id: of the ad.
        user_id: whose title and note.
    """
    values = {"ad": ad_creative_id, "user_id": user_id}
    own = (await session.execute(_OWN, values)).mappings().one_or_none()
    tags = (await session.execute(_TAGS, values)).mappings()
    title, note = OwnText(), OwnText()
    if own is not None:
        title = OwnText(text=own["title"] or "", is_shared=own["is_title_shared"])
        note = OwnText(text=own["note"] or "", is_shared=own["is_note_shared"])
    return AdMarks(title=title, note=note, tags=[AdTag.model_validate(one) for one in tags])


async def lock_version(
    session: AsyncSession,
    *,
    ad_creative_id: str,
    user_id: int,
    what: Literal["title", "note"],
    version: str,
    wanted: OwnText | None = None,
) -> bool:
    """Let nobody else write on an ad until the transaction ends; whether the user's own text is
    still the one that they saw, or what they want already, as after a form that is sent twice.

    Args:
        session: of the transaction that writes.
        ad_creative_id: of the ad.
        user_id: whose text.
        what: which text.
        version: of the text that they saw.
        wanted: what they write; None: it may not be there already.

    Raises:
        InvalidQueryError: the ad is not stored.
    """
    await lock_ads(session, ids=[ad_creative_id], alone=True)
    marks = await read_marks(session, ad_creative_id=ad_creative_id, user_id=user_id)
    own = marks.title if what == "title" else marks.note
    return own.version == version or own == wanted
