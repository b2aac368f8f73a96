"""Dify's API over HTTP: `/v1` with the app's key, and signed addresses of files."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adspark.sandbox.dify.app import DifyApp
from adspark.sandbox.dify.content.drawing import draw_poster
from adspark.sandbox.dify.errors import DifyError, not_found, server_error
from adspark.sandbox.dify.faults import DifyFaultKind
from adspark.sandbox.dify.files import Upload
from adspark.sandbox.dify.refusals import BROKEN_MODEL, UNAUTHORIZED, corrupt_response, refuse_run
from adspark.sandbox.dify.requests import read_body, read_run, read_upload, read_user
from adspark.sandbox.dify.runs.event_stream import EventStream
from adspark.sandbox.dify.runs.logs import list_runs
from adspark.sandbox.dify.runs.run import Json, Run, make_user_id
from adspark.sandbox.dify.shape import Lists
from adspark.sandbox.dify.workflow import describe_app
from adspark.sandbox.serpapi.fault_responses import DroppedConnection
from adspark.sandbox.settings import SandboxSettings

_GARBAGE = b"\x89PNG\r\n\x1a\nthis is no picture (fault broken_picture)"

Handler = Callable[[Request], Awaitable[Response]]


class DifyRoutes:
    """The handlers, over one app."""

    def __init__(self, settings: SandboxSettings, app: DifyApp) -> None:
        self._settings = settings
        self._app = app

    @property
    def routes(self) -> list[Route]:
        """Everything that Dify answers."""
        v1 = self._keyed
        return [
            Route("/v1/info", v1(self._info)),
            Route("/v1/parameters", v1(self._parameters)),
            Route("/v1/files/upload", v1(self._upload), methods=["POST"]),
            Route("/v1/workflows/run", v1(self._run), methods=["POST"]),
            Route("/v1/workflows/logs", v1(self._logs)),
            Route("/v1/workflows/run/{run_id}", v1(self._detail)),
            Route("/v1/workflows/tasks/{task_id}/stop", v1(self._stop), methods=["POST"]),
            Route("/v1/workflows/{workflow_id}/run", v1(self._run), methods=["POST"]),
            Route("/v1/workflow/{run_id}/events", v1(self._events)),
            Route("/v1/{rest:path}", v1(self._nothing), methods=["GET", "POST", "PUT", "DELETE"]),
            Route("/files/tools/{file_id}.png", _translated(self._drawing)),
            Route("/files/{file_id}/file-preview", _translated(self._preview)),
        ]

    def _keyed(self, handler: Handler) -> Handler:
        expected = f"bearer {self._settings.dify_key}".encode()

        async def check(request: Request) -> Response:
            scheme, _, key = request.headers.get("Authorization", "").partition(" ")
            if not hmac.compare_digest(f"{scheme.lower()} {key}".encode(), expected):
                return UNAUTHORIZED.respond()
            return await handler(request)

        return _translated(check)

    async def _info(self, _: Request) -> Response:
        return JSONResponse(
            {
                "name": "AdSpark SANDBOX workflow",
                "description": "Variants of ads made by plain rules; not an answer of Dify.",
                "tags": ["sandbox"],
                "mode": "workflow",
                "author_name": "AdSpark",
            }
        )

    async def _parameters(self, _: Request) -> Response:
        return JSONResponse(describe_app(self._app.shape))

    async def _upload(self, request: Request) -> Response:
        async with request.form() as form:
            file, user = read_upload(form)
            upload = await self._app.upload(file, user)
        return JSONResponse(self._describe_upload(upload), 201)

    async def _run(self, request: Request) -> Response:
        self._check_version(request.path_params.get("workflow_id"))
        asked = read_run(await read_body(request))
        self._app.check_inputs(asked.inputs, asked.files, asked.user)
        hits = self._app.faults.draw_for_run()
        if (refusal := refuse_run(hits)) is not None:
            return refusal
        run = self._app.start(asked.inputs, asked.user, hits)
        if DifyFaultKind.LOST_ANSWER in hits:
            return DroppedConnection()
        if (corrupted := corrupt_response(hits)) is not None:
            return corrupted
        if asked.is_blocking:
            return await _wait_for(run)
        return EventStream(run, self._settings.ping_every, hits=hits)

    async def _events(self, request: Request) -> Response:
        user = read_user(request.query_params)
        run = self._find(request)
        if run.user != user:
            raise not_found("Workflow run not found.")
        wants_past = request.query_params.get("include_state_snapshot", "").lower() == "true"
        start = 0 if wants_past else len(run.events)
        return EventStream(run, self._settings.ping_every, start=start, is_later=True)

    async def _detail(self, request: Request) -> Response:
        run = self._find(request)
        return JSONResponse(run.describe_behind() if self._app.shape.lags else run.describe())

    async def _stop(self, request: Request) -> Response:
        read_user(await read_body(request))
        run = self._app.runs.find_task(request.path_params["task_id"])
        if run is not None:
            self._app.runs.stop(run)
        return JSONResponse({"result": "success"})

    async def _logs(self, request: Request) -> Response:
        if self._app.shape.lists is Lists.NOTHING:
            raise server_error()
        lists_late = self._app.shape.lists is Lists.ENDED
        return JSONResponse(list_runs(self._app.runs, request.query_params, only_ended=lists_late))

    async def _nothing(self, _: Request) -> Response:
        raise not_found("The requested URL was not found on the server.")

    async def _drawing(self, request: Request) -> Response:
        file_id = request.path_params["file_id"]
        drawing = self._app.files.open_drawing(file_id, request.query_params)
        self._app.runs.counters.downloads += 1
        if drawing.is_broken:
            return Response(_GARBAGE, media_type="image/png")
        png = await run_in_threadpool(draw_poster, drawing.poster)
        return Response(png, media_type="image/png")

    async def _preview(self, request: Request) -> Response:
        file_id = request.path_params["file_id"]
        upload = self._app.files.open_upload(file_id, request.query_params)
        return Response(upload.content, media_type=upload.media_type)

    def _find(self, request: Request) -> Run:
        if run := self._app.runs.find(request.path_params["run_id"]):
            return run
        raise not_found("Workflow run not found.")

    def _check_version(self, workflow_id: str | None) -> None:
        if workflow_id == self._settings.dify_draft_id:
            message = f"Cannot use draft workflow version. Workflow ID: {workflow_id}."
            hint = "Please use a published workflow version or leave workflow_id empty."
            raise DifyError(400, "bad_request", f"{message} {hint}")
        if workflow_id not in (None, self._settings.dify_workflow_id):
            raise not_found(f"Workflow not found with id: {workflow_id}")

    def _describe_upload(self, upload: Upload) -> Json:
        return {
            "id": upload.id,
            "reference": None,
            "name": upload.name,
            "size": len(upload.content),
            "extension": upload.extension,
            "mime_type": upload.media_type,
            "created_by": make_user_id(upload.user),
            "created_at": upload.created_at,
            "preview_url": None,
            "source_url": f"{self._settings.base_url}{self._app.files.sign_upload(upload)}",
            "original_url": None,
            "user_id": None,
            "tenant_id": "sandbox",
            "conversation_id": None,
            "file_key": None,
        }


async def _wait_for(run: Run) -> Response:
    """The answer in blocking mode."""
    await run.wait_for_end()
    if run.events[-1]["event"] == "error":
        return BROKEN_MODEL.respond()
    return JSONResponse(
        {"workflow_run_id": run.id, "task_id": run.task_id, "data": run.describe_end()}
    )


def _translated(handler: Handler) -> Handler:
    """Errors as answers."""

    async def answer(request: Request) -> Response:
        try:
            return await handler(request)
        except DifyError as error:
            return error.respond()
        except ClientDisconnect:  # in the middle of its request, as whoever is killed
            return Response(status_code=400)

    return answer
