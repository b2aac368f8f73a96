"""All ads of a search for programs: streamed as JSON lines or CSV, without a bound."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from adspark.errors import BusyError
from adspark.export.formats import Format
from adspark.export.run import ExportRequest
from adspark.export.stream import stream_ads
from adspark.library.filters.written import choose, read_parameters
from adspark.library.search.cursor import Sort
from deployments.gallery.access.visitor import VisitorDep
from deployments.gallery.api.parameters import SEARCH
from deployments.gallery.resources import Gallery, GalleryDep

router = APIRouter(tags=["export"])

_MOST_AT_ONCE = 2  # each holds a connection for as long as its reader takes
_PATIENCE = 60.0
_LOG = logging.getLogger(__name__)
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


class ExportResponse(StreamingResponse):
    """A stream that is closed whatever ends it, so that its connection is free again.

    Args:
        first: the first part.
        rest: the parts after it.
        kind: media type.
        headers: of the response.
        patience: seconds for a reader to take what was sent; then the response is cut off.
    """

    def __init__(
        self,
        first: bytes,
        rest: AsyncGenerator[bytes],
        kind: str,
        headers: dict[str, str],
        patience: float = _PATIENCE,
    ) -> None:
        super().__init__(_joined(first, rest), media_type=kind, headers=headers)
        self._rest = rest
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def send_in_time(message: Message) -> None:
            async with asyncio.timeout(self._patience):
                await send(message)

        try:
            await super().__call__(scope, receive, send_in_time)
        except (
            ClientDisconnect
        ):  # so Starlette names the time-out; the server closes what is not whole
            _LOG.warning("An export was cut off: its reader took no more of it.")
        finally:
            await self._rest.aclose()


class _Turns:
    """How many exports this server writes at the moment."""

    def __init__(self) -> None:
        self._taken = 0

    async def stream(
        self, gallery: Gallery, request: ExportRequest, written: Format
    ) -> AsyncGenerator[bytes]:
        """The parts of an export. Raises BusyError where too many are being written."""
        if self._taken >= _MOST_AT_ONCE:
            raise BusyError(
                f"{_MOST_AT_ONCE} exports are being read already; try again when one has ended."
            )
        self._taken += 1
        try:
            async with aclosing(stream_ads(gallery.database, request, written)) as parts:
                async for part in parts:
                    yield part
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
    parts = _TURNS.stream(gallery, request, written)
    try:
        first = await anext(parts, b"")
    except BaseException:
        await parts.aclose()
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="ads{written}"',
        "Cache-Control": "no-store",
        # Compressing it would keep this process from all other readers.
        "Content-Encoding": "identity",
    }
    return ExportResponse(first, parts, _MEDIA_TYPES[written], headers)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for part in rest:
        yield part
