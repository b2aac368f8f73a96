"""What the buttons of a board's page do: order, notes, name, links, and its end."""

from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from adspark.creatives.board_changes import move_ad, rename_board, write_board_note
from adspark.creatives.board_links import LINK_DAYS, create_link, end_link
from adspark.creatives.boards import delete_board, read_ads, remove_ads
from adspark.errors import ChangedMeanwhileError, InvalidQueryError
from adspark.models import Board
from adspark.validation.bounds import ID, Range
from adspark.validation.numbers import read_whole
from deployments.gallery.access.public_address import public_url
from deployments.gallery.access.visitor import ChangerDep, secret_of_form
from deployments.gallery.forms import Form, TypedFormDep
from deployments.gallery.notices import lead_to
from deployments.gallery.numbers import Number
from deployments.gallery.routes.boards.view import BoardPages, BoardPagesDep

router = APIRouter(prefix="/boards", include_in_schema=False)

# Texts about it, by what the form asked for.
_CHANGED = {
    "move": "order_changed",
    "note": "note_changed",
    "rename": "name_changed",
    "link": "link_ended",
}


@router.post("/{board_id}")
async def change_board(
    pages: BoardPagesDep, _: ChangerDep, board_id: Number, form: TypedFormDep
) -> Response:
    """What a button of the board's page asks for; the page with what was typed and what is wrong
    beside it where that cannot be done."""
    board = await pages.find(board_id, to_change=True)
    try:
        done = await _change(pages, board, form)
    except InvalidQueryError as error:
        return await _show_again(pages, board_id, form, 422, error.sentence)
    except ChangedMeanwhileError:
        problem = pages.texts(f"board.{_CHANGED[form.text('do')]}")
        return await _show_again(pages, board_id, form, 409, problem)
    await pages.session.commit()
    return done


async def _change(pages: BoardPages, board: Board, form: Form) -> RedirectResponse:
    here, session = f"/boards/{board.id}", pages.session
    ad, version = form.text("ad"), form.text("version")
    match form.text("do"):
        case "move":
            before = form.text("before") or None
            await move_ad(session, board_id=board.id, ad=ad, before=before, version=version)
            return await _lead_to_moved(pages, board, form)
        case "note":
            note = form.text("note")
            await write_board_note(session, board_id=board.id, ad=ad, note=note, version=version)
            return lead_to(f"{here}#{ad}-note", "note_kept")
        case "remove":
            order = await _read_order(pages, board)
            await remove_ads(session, board_id=board.id, ids=[ad])
            return lead_to(f"{here}#{_beside(order, ad)}", "off_board", ad=ad)
        case "rename":
            name = form.text("name")
            name = await rename_board(session, board=board, name=name, version=version)
            return lead_to(f"{here}#rename", "board_renamed", board=name)
        case "delete":
            name = board.name
            await delete_board(session, board_id=board.id)
            return lead_to("/boards", "board_deleted", board=name)
        case "link":
            key = form.text("key") or uuid4().hex
            days = _number(form, "days", LINK_DAYS)
            token = secret_of_form(pages.request, f"{board.id} {days} {key}")
            if not await create_link(session, board_id=board.id, token=token, days=days):
                raise ChangedMeanwhileError("The link that this form made has ended.")
            link = f"{public_url(pages.request, pages.gallery)}/shared/{token}"
            return lead_to(f"{here}#link", "link_made", link=link)
        case "unlink":
            await end_link(session, board_id=board.id, link_id=_number(form, "link", ID))
            return lead_to(f"{here}#links", "link_ended")
    raise HTTPException(400)


async def _lead_to_moved(pages: BoardPages, board: Board, form: Form) -> RedirectResponse:
    """Back to the button that was pressed: beside `shown`, which went `back` or on as another ad
    changed places with it. At an end, where it does nothing any more, to the other one."""
    order = await _read_order(pages, board)
    ad = form.text("shown") if form.text("shown") in order else form.text("ad")
    if ad not in order:
        return lead_to(f"/boards/{board.id}")
    place = order.index(ad) + 1
    is_back = place == len(order) or ("back" in form and place > 1)
    return lead_to(
        f"/boards/{board.id}#{ad}-{'back' if is_back else 'on'}",
        "moved",
        ad=ad,
        place=f"{place:,}",
        of=f"{len(order):,}",
    )


async def _read_order(pages: BoardPages, board: Board) -> list[str]:
    return [one.ad_creative_id for one in await read_ads(pages.session, board_id=board.id)]


def _beside(order: list[str], ad: str) -> str:
    """The part of the page that takes the place of an ad: the next one, the last or the whole."""
    if ad not in order:
        return "content"
    place = order.index(ad)
    others = order[:place] + order[place + 1 :]
    return others[min(place, len(others) - 1)] if others else "content"


async def _show_again(
    pages: BoardPages, board_id: int, form: Form, status: int, problem: str
) -> Response:
    await pages.session.rollback()
    match form.written("do"):
        case "note":
            field, typed = f"note-{form.written('ad')}", form.written("note")
        case "rename":
            field, typed = "name", form.written("name")
        case "link":
            field, typed = "days", form.written("days")
        case _:
            field, typed = "order", ""
    return await pages.show(
        board_id, status=status, problems={field: problem}, given={field: typed}
    )


def _number(form: Form, name: str, bounds: Range) -> int:
    written = form.text(name)
    if (number := read_whole(written)) is None:
        raise InvalidQueryError(name, f"{written[:20]!r} is not a number.")
    bounds.check(name, number)
    return number
