"""Users' titles and notes on stored ads, each user's own or shared.

An ad with one stays at clean-up.
"""

import sqlalchemy
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.ad_locks import lock_ads
from adspark.errors import InvalidQueryError
from adspark.text.visible import is_blank
from adspark.validation.bounds import ID, TEXT
from adspark.validation.names import check_line, check_visible, clean_name
from adspark.validation.notes import check_note, clean_note
from adspark.validation.stored import check_storable

_WRITE = {
    name: sqlalchemy.text(f"""
        INSERT INTO creative_note AS n (user_id, ad_creative_id, {name}, is_{name}_shared)
        VALUES (:user_id, :ad, :value,
            coalesce(CAST(:is_shared AS boolean), false) AND CAST(:value AS text) IS NOT NULL)
        ON CONFLICT (user_id, ad_creative_id) DO UPDATE SET {name} = excluded.{name},
            is_{name}_shared = excluded.{name} IS NOT NULL
                AND coalesce(CAST(:is_shared AS boolean), n.is_{name}_shared)
    """)  # noqa: S608  (one of two constants)
    for name in ("title", "note")
}
_REMOVE_EMPTY = sqlalchemy.text("""
    DELETE FROM creative_note WHERE user_id = :user_id AND ad_creative_id = :ad
        AND title IS NULL AND note IS NULL
""")


async def write_title(
    session: AsyncSession,
    *,
    user_id: int,
    ad_creative_id: str,
    text: str | None,
    is_shared: bool | None = None,
) -> None:
    """Give an ad a title, or with None or one of blanks only take it away. Does not commit.

    Args:
        user_id: whose title.
        ad_creative_id: of the ad.
        text: the title, on one line.
        is_shared: whether all users see it; None: as it was, at first not.

    Raises:
        InvalidQueryError: the title cannot be used, or the ad is not stored.
    """
    kept = ""
    if text is not None and text.strip():
        TEXT.check("title", text)
        check_line("title", text)
        if is_blank(text):
            raise InvalidQueryError("title", "is empty; nothing that it holds can be seen.")
        kept = clean_name(text)
        check_visible("title", kept)
    await _write(session, "title", user_id, ad_creative_id, kept, is_shared)


async def write_note(
    session: AsyncSession,
    *,
    user_id: int,
    ad_creative_id: str,
    text: str | None,
    is_shared: bool | None = None,
) -> None:
    """Write a note on an ad, or with None or a blank one remove it. Does not commit.

    Args:
        user_id: whose note.
        ad_creative_id: of the ad.
        text: the note; may have several lines.
        is_shared: whether all users see it; None: as it was, at first not.

    Raises:
        InvalidQueryError: the note cannot be used, or the ad is not stored.
    """
    check_note("note", text)
    await _write(session, "note", user_id, ad_creative_id, clean_note(text or ""), is_shared)


async def _write(
    session: AsyncSession,
    what: str,
    user_id: int,
    ad_creative_id: str,
    value: str,
    is_shared: bool | None,
) -> None:
    ID.check("user_id", user_id)
    check_storable(what, value)
    await lock_ads(session, ids=[ad_creative_id], alone=True)
    values: dict[str, object] = {"user_id": user_id, "ad": ad_creative_id}
    values |= {"value": value or None, "is_shared": is_shared}
    await session.execute(_WRITE[what], values)
    await session.execute(_REMOVE_EMPTY, values)
