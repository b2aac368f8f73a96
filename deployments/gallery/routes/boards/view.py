"""The page of a board, as it is shown at first and again after a form that was refused."""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit
from uuid import uuid4

from fastapi import Depends
from fastapi.responses import HTMLResponse

from adspark.creatives.board_changes import version_of, version_of_order
from adspark.creatives.board_links import LINK_DAYS, list_links
from adspark.creatives.boards import read_board
from adspark.models import Board
from deployments.gallery.access.public_address import public_url
from deployments.gallery.failures import NotThereError
from deployments.gallery.resources import VisitorPages
from deployments.gallery.routes.boards.content import read_board_ads

_LOCAL = ("127.0.0.1", "::1", "localhost")  # names of a machine for itself


class BoardPages(VisitorPages):
    """Shows pages of boards to the visitor of a request."""

    async def find(self, board_id: int, *, to_change: bool = False) -> Board:
        """The visitor's board; to be changed it is locked until the transaction's end.

        Raises:
            NotThereError: they have none of this number.
        """
        found = await read_board(
            self.session, user_id=self.visitor.user_id, board_id=board_id, to_change=to_change
        )
        if found is None:
            raise NotThereError("no_board", "/boards")
        return found

    async def show(
        self,
        board_id: int,
        *,
        status: int = 200,
        problems: Mapping[str, str] | None = None,
        given: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The page of a board.

        Args:
            board_id: of the board.
            status: of the response.
            problems: by the field that they stand beside.
            given: what was typed, by field, in place of what is stored.

        Raises:
            NotThereError: the visitor has no such board.
        """
        board = await self.find(board_id)
        ads = await read_board_ads(self.session, board_id=board.id, user_id=self.visitor.user_id)
        return self.page(
            "board.html",
            status=status,
            board=board,
            name_version=version_of(board.name),
            ads=ads,
            order=version_of_order(one.ad.ad_creative_id for one in ads),
            links=await list_links(self.session, board_id=board.id),
            link_days=LINK_DAYS,
            key=uuid4(),
            is_local=urlsplit(public_url(self.request, self.gallery)).hostname in _LOCAL,
            problems=problems or {},
            given=given or {},
        )


BoardPagesDep = Annotated[BoardPages, Depends()]
