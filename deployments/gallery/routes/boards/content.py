"""The ads of a board as its page, its archive and its links show them."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.board_changes import version_of
from adspark.creatives.boards import read_ads
from adspark.library.search.page import FoundAd, read_found_ads


@dataclass(frozen=True)
class ShownAd:
    """An ad on a board, and what is noted of it there."""

    ad: FoundAd
    note: str | None

    @property
    def note_version(self) -> str:
        """The same as long as the note is."""
        return version_of(self.note)


async def read_board_ads(
    session: AsyncSession, *, board_id: int, user_id: int | None
) -> list[ShownAd]:
    """The ads of a board in its order.

    Args:
        board_id: of the board.
        user_id: whose titles and tags are shown, beside shared ones; None, for those whom it is
            given to: what all users see.
    """
    rows = await read_ads(session, board_id=board_id)
    ids = [row.ad_creative_id for row in rows]
    found = {
        one.ad_creative_id: one for one in await read_found_ads(session, ids=ids, user_id=user_id)
    }
    return [
        ShownAd(found[row.ad_creative_id], row.note) for row in rows if row.ad_creative_id in found
    ]
