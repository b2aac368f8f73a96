"""Everything that belongs to no service: pages, pictures, previews, faults, changes, counters."""

from pydantic import TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from adspark.sandbox.control.pages import write_creative, write_home
from adspark.sandbox.control.pictures import draw_picture
from adspark.sandbox.control.preview import write_preview
from adspark.sandbox.dify.app import DifyApp
from adspark.sandbox.library.catalogue import Row
from adspark.sandbox.library.changed_catalogue import UnknownAdError
from adspark.sandbox.library.changes import CHANGES
from adspark.sandbox.responses import MARKS, error_response
from adspark.sandbox.serpapi.details import find_copy
from adspark.sandbox.serpapi.engine import SearchEngine
from adspark.sandbox.serpapi.faults import AnyFault, BaseFaultBox
from adspark.sandbox.settings import SandboxSettings


class ControlRoutes:
    """The handlers, over the parts of one sandbox."""

    def __init__(self, settings: SandboxSettings, engine: SearchEngine, dify: DifyApp) -> None:
        self._settings = settings
        self._engine = engine
        self._dify = dify

    async def home(self, _: Request) -> Response:
        return HTMLResponse(write_home(self._settings, self._engine, self._dify))

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", **MARKS})

    async def creative(self, request: Request) -> Response:
        row = self._find(request.path_params["creative_id"])
        picture = f"{self._settings.base_url}{row['image']}" if "image" in row else None
        return HTMLResponse(write_creative(row, picture))

    async def picture(self, request: Request) -> Response:
        row = self._find(request.path_params["picture_id"])
        png = await run_in_threadpool(draw_picture, row, find_copy(row))
        return Response(png, media_type="image/png")

    async def preview(self, request: Request) -> Response:
        params = request.query_params
        script = write_preview(self._find(params.get("creativeId", "")), params)
        if script is None:
            raise HTTPException(400, "htmlParentId and responseCallback have to be plain names.")
        return Response(script, media_type="text/javascript")

    async def show_changes(self, _: Request) -> Response:
        changes = list(self._engine.catalogue.changes)
        return JSONResponse(CHANGES.dump_python(changes, mode="json", exclude_unset=True))

    async def set_changes(self, request: Request) -> Response:
        try:
            self._engine.change(CHANGES.validate_json(await request.body()))
        except ValidationError as error:
            return refuse_body("Not a list of changes.", error)
        except UnknownAdError as error:
            return error_response(422, str(error))
        return await self.show_changes(request)

    async def stats(self, _: Request) -> Response:
        return JSONResponse(self._engine.meter.describe())

    async def reset(self, request: Request) -> Response:
        self._engine.reset()
        self._dify.reset()
        return await self.stats(request)

    def _find(self, number: str) -> Row:
        if row := self._engine.catalogue.find(number):
            return row
        raise HTTPException(404, f"The sandbox has no ad {number[:100]!r}.")


def fault_routes(
    path: str, box: BaseFaultBox[AnyFault], kind: TypeAdapter[list[AnyFault]], whose: str
) -> list[Route]:
    """Where the faults of a service are shown, and replaced.

    Args:
        path: of both.
        box: the faults.
        kind: what reads and writes them.
        whose: they are, for a refusal.
    """

    async def show(_: Request) -> Response:
        faults = [armed.fault for armed in box.armed]
        return JSONResponse(kind.dump_python(faults, mode="json", exclude_none=True))

    async def replace(request: Request) -> Response:
        try:
            faults = kind.validate_json(await request.body())
        except ValidationError as error:
            return refuse_body(f"Not a list of {whose}.", error)
        box.replace(faults)
        return await show(request)

    return [Route(path, show, methods=["GET"]), Route(path, replace, methods=["PUT"])]


def refuse_body(message: str, error: ValidationError) -> Response:
    """The answer to a body that is not what it should be, with the reasons."""
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return error_response(422, message, details=details)
