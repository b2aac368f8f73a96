"""What is done with the ads that were selected in the library."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.creatives.boards import add_ads, find_or_create_board
from adspark.errors import InvalidQueryError
from adspark.export.formats import Format
from adspark.export.run import ExportRequest
from adspark.library.filters.written import WrittenFilters
from adspark.library.marks.tags import tag_ads
from deployments.gallery.access.visitor import ChangerDep, VisitorDep
from deployments.gallery.api.export import send_export
from deployments.gallery.forms import Form, FormDep, TypedFormDep
from deployments.gallery.notices import lead_to, own_address
from deployments.gallery.routes.library import LibraryPagesDep, Refused

router = APIRouter(include_in_schema=False)

_FIELDS = {"name": "board", "board": "board", "tag": "tag"}  # of the form, by that of an error


@router.post("/selection")
async def change_selection(
    pages: LibraryPagesDep, visitor: ChangerDep, form: TypedFormDep
) -> Response:
    """Tag the selected ads, or put them on a board, made where there is none of its name.

    Where that cannot be done, the library again with what was selected and typed.
    """
    ids = list(dict.fromkeys(form.opened().texts("ad")))
    if not ids:
        problem = pages.texts("selection.none_selected")
        return await _show_again(pages, form, ids, "ads", problem)
    try:
        done = await _change(pages.session, visitor.user_id, form, ids)
    except InvalidQueryError as error:
        await pages.session.rollback()
        field = _FIELDS.get(error.field, "ads")
        return await _show_again(pages, form, ids, field, error.sentence)
    await pages.session.commit()
    return done


@router.post("/selection/export")
async def export_selection(pages: LibraryPagesDep, visitor: VisitorDep, form: FormDep) -> Response:
    """The selected ads as CSV, newest first."""
    ids = list(dict.fromkeys(form.texts("ad")))
    if not ids:
        problem = pages.texts("selection.none_selected")
        return await _show_again(pages, form, ids, "ads", problem)
    filters = WrittenFilters(user=visitor.user_id, ids=ids)
    return await send_export(pages.gallery, ExportRequest(filters=filters), Format.CSV)


async def _change(
    session: AsyncSession, user_id: int, form: Form, ids: list[str]
) -> RedirectResponse:
    back, tag = form.text("back"), form.text("tag")
    # Without a script, Enter in the field of the tag presses the form's first button.
    if "add-tag" in form or (tag and not form.text("board")):
        changed = await tag_ads(session, user_id=user_id, tag=tag, ids=ids)
        return lead_to(back, "tagged", number=len(changed), tag=tag)
    board, _ = await find_or_create_board(session, user_id=user_id, name=form.text("board"))
    added = await add_ads(session, board_id=board.id, ids=ids)
    return lead_to(back, "on_board", number=len(added), board=board.name)


async def _show_again(
    pages: LibraryPagesDep, form: Form, ids: list[str], field: str, problem: str
) -> Response:
    back = own_address(form.written("back"))
    typed = {name: form.written(name) for name in ("board", "tag")}
    return await pages.show(
        back if back.startswith("/library") else "/library", Refused(ids, typed, {field: problem})
    )
