"""What is done with the ads that were selected on a page."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.boards import add_ads, create_board, find_board, list_boards
from adspark.errors import InvalidQueryError
from adspark.library.marks.tags import tag_ads
from adspark.validation.names import check_name
from deployments.gallery.access.visitor import ChangerDep
from deployments.gallery.forms import Form, FormDep
from deployments.gallery.notices import lead_to
from deployments.gallery.resources import SessionDep

router = APIRouter(include_in_schema=False)


@router.post("/selection")
async def change_selection(
    session: SessionDep, visitor: ChangerDep, form: FormDep
) -> RedirectResponse:
    """Tag the selected ads, or put them on a board, made where there is none of its name."""
    ids = list(dict.fromkeys(form.texts("ad")))
    back = form.text("back")
    if not ids:
        return lead_to(back, "none_selected")
    try:
        if "add-tag" in form:
            tag = form.text("tag")
            changed = await tag_ads(session, user_id=visitor.user_id, tag=tag, ids=ids)
            done = lead_to(back, "tagged", number=len(changed), tag=tag)
        else:
            name, added = await _add_to_board(session, visitor.user_id, form, ids)
            done = lead_to(back, "on_board", number=added, board=name)
    except InvalidQueryError as error:
        return lead_to(back, "refused", reason=error.sentence)
    await session.commit()
    return done


async def _add_to_board(
    session: AsyncSession, user_id: int, form: Form, ids: list[str]
) -> tuple[str, int]:
    """The board's name and how many ads were not on it before."""
    name = check_name(form.text("board"), "board")
    if name not in {one.name for one in await list_boards(session, user_id=user_id)}:
        await create_board(session, user_id=user_id, name=name)
    board = await find_board(session, user_id=user_id, name=name)
    return board.name, len(await add_ads(session, board_id=board.id, ids=ids))
