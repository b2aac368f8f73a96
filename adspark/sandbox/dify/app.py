"""The workflow app: takes files and inputs, begins runs, all with the faults that hit them."""

from collections.abc import Mapping

from starlette.datastructures import UploadFile

from adspark.sandbox.dify.content.copywriting import write_copy
from adspark.sandbox.dify.content.drawing import Poster, choose_hue
from adspark.sandbox.dify.content.originals import OriginalFinder
from adspark.sandbox.dify.errors import DifyError, invalid_param, server_error
from adspark.sandbox.dify.faults import DifyFaultBox, Hits
from adspark.sandbox.dify.files import FileBox, Upload
from adspark.sandbox.dify.runs.performer import Performer, Plan
from adspark.sandbox.dify.runs.run import Json, Run, RunBox
from adspark.sandbox.dify.workflow import IMAGE_MEGABYTES, PROMPT, check_inputs
from adspark.sandbox.serpapi.engine import SearchEngine
from adspark.sandbox.settings import SandboxSettings

_LARGEST = IMAGE_MEGABYTES * 1024 * 1024  # bytes of a picture
_MEDIA_TYPES = ("image/jpeg", "image/png", "image/gif", "image/webp", "image/svg+xml")


class DifyApp:
    """One workflow app with its files, runs and faults."""

    def __init__(self, settings: SandboxSettings, engine: SearchEngine) -> None:
        self._settings = settings
        self.shape = settings.dify_workflow
        self.files = FileBox(settings)
        self.runs = RunBox()
        self.faults = DifyFaultBox(settings.dify_faults, settings.seed)
        self._originals = OriginalFinder(settings, engine, self.files)
        self._performer = Performer(self.files, settings.base_url)

    def reset(self) -> None:
        """Everything as at the start; what runs is stopped."""
        self.runs.reset()
        self.files.clear()
        self.faults.replace(self._settings.dify_faults)
        self.shape = self._settings.dify_workflow

    async def upload(self, file: UploadFile, user: str) -> Upload:
        """Keep a file for a user.

        Raises:
            DifyError: it is too large or no picture, or a fault hit.
        """
        if (file.size or 0) > _LARGEST:
            raise DifyError(413, "file_too_large", "")
        media_type = (file.content_type or "").partition(";")[0].strip().lower()
        if media_type not in _MEDIA_TYPES:
            raise DifyError(415, "unsupported_file_type", "File type not allowed.")
        if self.faults.draw_for_upload():
            raise server_error()
        self.runs.counters.uploads += 1
        name = file.filename or "picture"
        return await self.files.add_upload(user, name, media_type, await file.read())

    def check_inputs(self, inputs: Mapping[str, object], files: object, user: str) -> None:
        """Whether the workflow takes the inputs.

        Args:
            inputs: by the names of the workflow's form.
            files: that the request has beside them.
            user: who asks.

        Raises:
            DifyError: it does not.
        """
        check_inputs(self.shape, inputs)
        if files is not None and not isinstance(files, list):
            raise invalid_param("files must be a list")
        given = inputs[self.shape.picture_input.variable]
        listed = given if isinstance(given, list) else [given]
        for file in [*(files or []), *(one for one in listed if isinstance(one, dict))]:
            self._check_file(file, user)

    def start(self, inputs: Json, user: str, hits: Hits) -> Run:
        """Begin a run, with the faults that hit it.

        Args:
            inputs: as they were checked.
            user: who asks.
            hits: the faults that it has.
        """
        original = self._originals.find(inputs, self.shape.picture_input.variable)
        prompt = str(inputs[PROMPT])
        hue = choose_hue(prompt, original.brand)
        poster = Poster(write_copy(prompt, original), hue, *original.size)
        plan = Plan(poster, self.shape.outputs, self._settings.generation_seconds, hits)
        run = Run(
            self._settings.dify_workflow_id,
            user,
            inputs,
            self._settings.clock,
            good_status=self.shape.status,
        )
        self.runs.start(run, lambda begun: self._performer.perform(begun, plan))
        return run

    def _check_file(self, file: object, user: str) -> None:
        if not isinstance(file, dict):
            raise invalid_param("a file must be an object")
        method = file.get("transfer_method")
        if method == "local_file":
            self.files.take_upload(file.get("upload_file_id"), user)
        elif method == "remote_url":
            url = file.get("url")
            if not isinstance(url, str) or not url.startswith(("http://", "https://")):
                raise invalid_param("Invalid file url")
        else:
            raise invalid_param("transfer_method must be local_file or remote_url")
        if file.get("type") != "image":
            raise invalid_param("File validation failed: type must be image")
