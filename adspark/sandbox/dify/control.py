"""What is not Dify's: its faults, the workflow's shape and the counters."""

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adspark.sandbox.control.routes import fault_routes, refuse_body
from adspark.sandbox.dify.app import DifyApp
from adspark.sandbox.dify.faults import DifyFault
from adspark.sandbox.dify.shape import WorkflowShape

_FAULTS = TypeAdapter(list[DifyFault])


class DifyControlRoutes:
    """The handlers, over one app."""

    def __init__(self, app: DifyApp) -> None:
        self._app = app

    @property
    def routes(self) -> list[Route]:
        """Everything below `/sandbox/dify`."""
        return [
            Route("/sandbox/dify/stats", self._stats),
            *fault_routes("/sandbox/dify/faults", self._app.faults, _FAULTS, "Dify's faults"),
            Route("/sandbox/dify/workflow", self._show_workflow, methods=["GET"]),
            Route("/sandbox/dify/workflow", self._set_workflow, methods=["PUT"]),
        ]

    async def _stats(self, _: Request) -> Response:
        return JSONResponse(self._app.runs.describe())

    async def _show_workflow(self, _: Request) -> Response:
        return JSONResponse(self._app.shape.model_dump(mode="json"))

    async def _set_workflow(self, request: Request) -> Response:
        try:
            self._app.shape = WorkflowShape.model_validate_json(await request.body())
        except ValidationError as error:
            return refuse_body("Not a shape of the workflow.", error)
        return await self._show_workflow(request)
