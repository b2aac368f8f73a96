"""All ads of a search for programs: streamed as JSON lines or CSV, without a bound."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import QueryParams
from starlette.types import Receive, Scope, Send

from adspark.export.formats import Format
from adspark.export.run import ExportRequest
from adspark.export.stream import stream_ads
from adspark.library.filters.written import choose, read_parameters
from adspark.library.search.cursor import Sort
from deployments.gallery.access.visitor import VisitorDep
from deployments.gallery.api.parameters import SEARCH
from deployments.gallery.downloads import PatientResponse, Turns
from deployments.gallery.resources import Gallery, GalleryDep

router = APIRouter(tags=["export"])

_TURNS = Turns(2)  # each holds a connection for as long as its reader takes
_MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.JSON_LINES: "application/jsonl; charset=utf-8",
}


def _described(written: Format) -> dict[int | str, dict[str, Any]]:
    kind = _MEDIA_TYPES[written].partition(";")[0]
    content = {kind: {"schema": {"type": "string"}}}
    return {200: {"description": "All ads, a row for each.", "content": content}}


@router.get(
    "/export/ads.jsonl",
    response_class=StreamingResponse,
    responses=_described(Format.JSON_LINES),
    openapi_extra=SEARCH,
)
async def export_json_lines(request: Request, gallery: GalleryDep, visitor: VisitorDep) -> Response:
    """All ads that have the words, as written, and fulfil all filters; an object on each line."""
    return await _export(gallery, request.query_params, visitor.user_id, Format.JSON_LINES)


@router.get(
    "/export/ads.csv",
    response_class=StreamingResponse,
    responses=_described(Format.CSV),
    openapi_extra=SEARCH,
)
async def export_csv(request: Request, gallery: GalleryDep, visitor: VisitorDep) -> Response:
    """The same as CSV for spreadsheets: UTF-8 with its mark, and no cell that computes."""
    return await _export(gallery, request.query_params, visitor.user_id, Format.CSV)


class ExportDownload(PatientResponse):
    """A stream that is closed whatever ends it, so that its connection is free again."""

    def __init__(self, first: bytes, rest: AsyncGenerator[bytes], written: Format) -> None:
        super().__init__(_joined(first, rest), _MEDIA_TYPES[written], name=f"ads{written}")
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._rest.aclose()


async def _stream(
    gallery: Gallery, request: ExportRequest, written: Format
) -> AsyncGenerator[bytes]:
    """The parts of an export, on a connection that no page waits for, and whose statements may take
    longer than a page's. Raises BusyError where too many are being written."""
    with _TURNS.one():
        async with (
            gallery.database.without_bounds() as database,
            aclosing(stream_ads(database, request, written)) as parts,
        ):
            async for part in parts:
                yield part


async def _export(
    gallery: Gallery, parameters: QueryParams, user_id: int, written: Format
) -> Response:
    request = ExportRequest(
        query=parameters.get("q", ""),
        filters=read_parameters(parameters, user=user_id),
        sort=choose("sort", Sort, parameters.get("sort")) or Sort.NEWEST,
    )
    return await send_export(gallery, request, written)


async def send_export(gallery: Gallery, request: ExportRequest, written: Format) -> Response:
    """An export as a download; what is wrong is raised before its first byte.

    Args:
        gallery: with the ads.
        request: which ads, in which order.
        written: CSV or JSON lines.

    Raises:
        InvalidQueryError: a filter cannot be used.
        BusyError: too many are being written.
    """
    parts = _stream(gallery, request, written)
    try:
        first = await anext(parts, b"")
    except BaseException:
        await parts.aclose()
        raise
    return ExportDownload(first, parts, written)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part
