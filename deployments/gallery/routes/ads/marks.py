"""What visitors write on an ad: title, note and tags; and the boards that they put it on."""

from typing import Literal

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from adspark.creatives.boards import add_ads, find_board, find_or_create_board, remove_ads
from adspark.errors import InvalidQueryError
from adspark.library.marks.notes import write_note, write_title
from adspark.library.marks.of_ad import OwnText, lock_version
from adspark.library.marks.tags import share_tag, tag_ads, untag_ads
from adspark.validation.names import clean_name
from adspark.validation.notes import clean_note
from deployments.gallery.access.visitor import ChangerDep
from deployments.gallery.forms import Form, TypedFormDep
from deployments.gallery.notices import lead_to
from deployments.gallery.routes.ads.view import AdPagesDep

router = APIRouter(include_in_schema=False)

# Notices, by what a button beside a tag asks for.
_TAG_NOTICES = {"remove": "tag_removed", "share": "tag_shared", "keep": "tag_kept"}


@router.post("/ads/{ad_id}/title")
async def save_title(
    pages: AdPagesDep, visitor: ChangerDep, form: TypedFormDep, ad_id: str
) -> Response:
    """Write, share or remove the visitor's title of an ad."""
    return await _save_text(pages, visitor.user_id, form, ad_id, "title")


@router.post("/ads/{ad_id}/note")
async def save_note(
    pages: AdPagesDep, visitor: ChangerDep, form: TypedFormDep, ad_id: str
) -> Response:
    """Write, share or remove the visitor's note on an ad."""
    return await _save_text(pages, visitor.user_id, form, ad_id, "note")


@router.post("/ads/{ad_id}/tags")
async def save_tags(
    pages: AdPagesDep, visitor: ChangerDep, form: TypedFormDep, ad_id: str
) -> Response:
    """Put the visitor's tag on an ad, share it or not, or take it off."""
    session, user_id = pages.session, visitor.user_id
    try:
        do = next((one for one in _TAG_NOTICES if one in form), "tag")
        part, tag = "add-tag" if do == "tag" else "tags", form.text(do)
        if do == "remove":
            await untag_ads(session, user_id=user_id, tag=tag, ids=[ad_id])
        elif do != "tag":
            await share_tag(session, user_id=user_id, tag=tag, is_shared=do == "share")
        else:
            await tag_ads(session, user_id=user_id, tag=tag, ids=[ad_id])
            if "shared" in form:
                await share_tag(session, user_id=user_id, tag=tag, is_shared=True)
    except InvalidQueryError as error:
        return await _show_again(pages, ad_id, form, "tag", error)
    await session.commit()
    return _back(ad_id, part, _TAG_NOTICES.get(do, "tag_put"), tag=tag)


@router.post("/ads/{ad_id}/boards")
async def save_boards(
    pages: AdPagesDep, visitor: ChangerDep, form: TypedFormDep, ad_id: str
) -> Response:
    """Put an ad on a board of the visitor's, on a new one, or take it off one."""
    session, user_id = pages.session, visitor.user_id
    field = "new" if "create" in form else "board"
    part, notice = "create-board" if field == "new" else "add-board", "put_on_board"
    try:
        if "remove" in form:
            part, notice = "boards", "taken_off"
            board = await find_board(session, user_id=user_id, name=form.text("remove"))
            await remove_ads(session, board_id=board.id, ids=[ad_id])
        else:
            name = form.text(field)
            if field == "new":  # one that is there already, as after a second click, will do
                board, _ = await find_or_create_board(session, user_id=user_id, name=name)
            else:
                board = await find_board(session, user_id=user_id, name=name)
            await add_ads(session, board_id=board.id, ids=[ad_id])
    except InvalidQueryError as error:
        return await _show_again(pages, ad_id, form, field, error)
    done = _back(ad_id, part, notice, board=board.name)
    await session.commit()
    return done


async def _save_text(
    pages: AdPagesDep, user_id: int, form: Form, ad_id: str, what: Literal["title", "note"]
) -> Response:
    session, is_shared = pages.session, "shared" in form
    try:
        written = form.text(what)
        kept = clean_name(written) if what == "title" else clean_note(written)
        is_same = await lock_version(
            session,
            ad_creative_id=ad_id,
            user_id=user_id,
            what=what,
            version=form.text("version"),
            wanted=OwnText(text=kept, is_shared=is_shared and bool(kept)),
        )
        if not is_same:
            await session.rollback()
            problem = pages.texts(f"ad_page.{what}_changed")
            return await pages.show(
                ad_id, status=409, problems={what: problem}, given=_given(form, what)
            )
        write = write_title if what == "title" else write_note
        await write(
            session, user_id=user_id, ad_creative_id=ad_id, text=written, is_shared=is_shared
        )
    except InvalidQueryError as error:
        return await _show_again(pages, ad_id, form, what, error)
    await session.commit()
    return _back(ad_id, f"save-{what}", f"{what}_saved" if kept else f"no_{what}")


async def _show_again(
    pages: AdPagesDep, ad_id: str, form: Form, field: str, error: InvalidQueryError
) -> Response:
    """The page with what was typed, and what is wrong beside its field."""
    await pages.session.rollback()
    problem = error.sentence
    return await pages.show(ad_id, status=422, problems={field: problem}, given=_given(form, field))


def _given(form: Form, field: str) -> dict[str, str]:
    """What was typed, and whether all were to see it."""
    return {field: form.written(field), f"{field}_shared": form.written("shared")}


def _back(ad_id: str, part: str, notice: str, **values: object) -> RedirectResponse:
    """To the button that was pressed, or the list in which it stood."""
    return lead_to(f"/ads/{ad_id}#{part}", notice, **values)
