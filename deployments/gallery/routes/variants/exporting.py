"""Approved variants for Google Ads, as a ZIP file: the form that asks where they go; the file."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response

from adspark.errors import InvalidQueryError, UnknownBatchError
from adspark.validation.bounds import LARGEST_ID
from adspark.validation.numbers import Whole, read_whole
from adspark.variants.batches.store import read_state
from adspark.variants.handover.approved import read_approved
from adspark.variants.handover.files import Destination, check_destination, write_zip
from deployments.gallery.downloads import MOST_PICTURE_BYTES, FileDownload, Turns
from deployments.gallery.forms import Form, TypedFormDep
from deployments.gallery.resources import PagesDep, VisitorPages

router = APIRouter(include_in_schema=False)

_FIELDS = ("campaign", "ad_group", "final_url", "path_1", "path_2")
_Batch = Annotated[Whole | None, Query(ge=1, le=LARGEST_ID)]
_TURNS = Turns(2)  # each keeps its file for as long as its reader takes


@router.get("/variants/export")
async def show_form(pages: PagesDep, batch: _Batch = None) -> HTMLResponse:
    """The form, for all that is approved or for a batch's."""
    if batch is not None:
        await read_state(pages.session, batch_id=batch)
    return _write_form(pages, batch, {}, {})


@router.post("/variants/export")
async def send_file(pages: PagesDep, form: TypedFormDep) -> Response:
    """The ZIP file, as a download."""
    batch = _read_batch(form.written("batch"))
    try:
        return await _make_file(pages, form, batch)
    except InvalidQueryError as error:
        typed = {name: form.written(name) for name in _FIELDS}
        field = error.field if error.field in _FIELDS else ""
        return _write_form(pages, batch, typed, {field: error.sentence})


def _read_batch(written: str) -> int | None:
    """The batch in the form; None: all that is approved. Raises UnknownBatchError."""
    if not written:
        return None
    if (batch := read_whole(written)) is None:
        raise UnknownBatchError("There is no such batch.")
    return batch


async def _make_file(pages: VisitorPages, form: Form, batch: int | None) -> FileDownload:
    """Raises InvalidQueryError, which names the field, and BusyError."""
    destination = check_destination(Destination(**{name: form.text(name) for name in _FIELDS}))
    variants = await read_approved(pages.session, batch_id=batch)
    await pages.session.rollback()  # no connection waits for pictures
    with _TURNS.file() as (file, held):
        await write_zip(
            file, variants, destination, pages.gallery.media, most_bytes=MOST_PICTURE_BYTES
        )
        name = f"variants-batch-{batch}.zip" if batch else "variants.zip"
        return FileDownload(file, held.pop_all(), name=name)


def _write_form(
    pages: VisitorPages, batch: int | None, typed: dict[str, str], problems: dict[str, str]
) -> HTMLResponse:
    return pages.page(
        "variant_export.html",
        status=422 if problems else 200,
        batch=batch,
        typed=typed,
        problems=problems,
        fields=_FIELDS,
    )
