"""All ads of a search for programs: as JSON lines or CSV, without a bound."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, aclosing, contextmanager
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import QueryParams

from adspark.errors import BusyError
from adspark.export.formats import Format
from adspark.export.run import ExportRequest
from adspark.export.stream import stream_ads
from adspark.library.filters.written import choose, read_parameters
from adspark.library.search.cursor import Sort
from deployments.gallery.access.visitor import VisitorDep
from deployments.gallery.api.parameters import SEARCH
from deployments.gallery.downloads import Download
from deployments.gallery.resources import Gallery, GalleryDep

router = APIRouter(tags=["export"])

_MOST_AT_ONCE = 2  # each keeps a file for as long as its reader takes
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


class _Turns:
    """How many exports this server writes and sends at the moment."""

    def __init__(self) -> None:
        self._taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """One of them, until the block ends. Raises BusyError where there are too many."""
        if self._taken >= _MOST_AT_ONCE:
            raise BusyError(
                f"{_MOST_AT_ONCE} exports are being read already; try again when one has ended."
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1


_TURNS = _Turns()


async def _export(
    gallery: Gallery, parameters: QueryParams, user_id: int, written: Format
) -> Response:
    """The response; what is wrong is raised before its first byte."""
    request = ExportRequest(
        query=parameters.get("q", ""),
        filters=read_parameters(parameters, user=user_id),
        sort=choose("sort", Sort, parameters.get("sort")) or Sort.NEWEST,
    )
    with ExitStack() as held:
        held.enter_context(_TURNS.one())
        file = held.enter_context(tempfile.TemporaryFile(prefix="adspark-export-"))
        async with aclosing(stream_ads(gallery.database, request, written)) as parts:
            async for part in parts:
                await asyncio.to_thread(file.write, part)
        return Download(file, held.pop_all(), kind=_MEDIA_TYPES[written], name=f"ads{written}")
