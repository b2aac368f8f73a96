"""What Dify sends, parsed at the door: the app's form, stream events, runs, uploads, its log.

Source: Dify's OpenAPI of workflow apps (https://docs.dify.ai/en/api-reference). Unknown fields and
unknown kinds of events are let through; what a run came to is not guessed at.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from adspark.errors import ServiceUnavailableError

STARTED = "workflow_started"
FINISHED = "workflow_finished"
PAUSED = "workflow_paused"
ERROR = "error"
PING = "ping"
NODE_STARTED = "node_started"
NODE_FINISHED = "node_finished"


class RunStatus(StrEnum):
    """How far a run is. `partial-succeeded`: some node failed and the workflow went around it."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial-succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    PAUSED = "paused"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (RunStatus.RUNNING, RunStatus.PAUSED)


class _Payload(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class FormField(_Payload):
    """One input of the app's form.

    Attributes:
        kind: text-input, paragraph, select, number, file, file-list, …
        max_length: characters; 0 or None is no bound.
    """

    kind: str
    variable: str
    required: bool = False
    max_length: int | None = None
    options: tuple[str, ...] = ()

    @property
    def takes_files(self) -> bool:
        """Whether it takes file objects, not text."""
        return self.kind in ("file", "file-list")


class AppForm(_Payload):
    """What the app asks for."""

    fields: tuple[FormField, ...]
    image_megabytes: float | None = None

    def field(self, variable: str) -> FormField | None:
        """The input of that name."""
        return next((one for one in self.fields if one.variable == variable), None)


class AppInfo(_Payload):
    """Name and mode of the app that a key belongs to."""

    name: str = ""
    mode: str = ""


class UploadedFile(_Payload):
    """A file that Dify keeps for a user; `source_url` is signed and expires."""

    id: str
    source_url: str | None = None


class LogRow(_Payload):
    """One run in Dify's log; `user` is who started it, if that was no account of Dify's."""

    run_id: str
    user: str | None = None


class LogPage(_Payload):
    """A page of Dify's log, newest first."""

    rows: tuple[LogRow, ...]
    has_more: bool = False


class RunEvent(_Payload):
    """One event of a run's stream."""

    event: str
    task_id: str | None = None
    workflow_run_id: str | None = None
    data: dict[str, JsonValue] = Field(default_factory=dict)
    code: str | None = Field(default=None, description="Of an `error` event.")
    message: str | None = Field(default=None, description="Of an `error` event.")
    status: int | None = Field(default=None, description="Of an `error` event.")

    def text(self, name: str) -> str:
        """A text in its data, or nothing."""
        value = self.data.get(name)
        return value if isinstance(value, str) else ""


class RunDetail(_Payload):
    """A run as it is now, or as its last event told."""

    id: str
    status: RunStatus
    workflow_id: str | None = None
    outputs: dict[str, JsonValue] | None = None
    error: str | None = None
    elapsed_time: float | None = None
    total_tokens: int | None = None
    total_steps: int | None = None
    files: list[JsonValue] = Field(default_factory=list)


def parse_form(body: Mapping[str, Any]) -> AppForm:
    """The form in an answer of `GET /parameters`: a list of objects with one key, the kind."""
    fields = []
    listed = body.get("user_input_form")
    for entry in listed if isinstance(listed, list) else []:
        for kind, values in entry.items() if isinstance(entry, dict) else ():
            if isinstance(values, dict) and isinstance(values.get("variable"), str):
                fields.append(_parse_field(kind, values))
    limits = body.get("system_parameters")
    megabytes = limits.get("image_file_size_limit") if isinstance(limits, dict) else None
    return AppForm(
        fields=tuple(fields),
        image_megabytes=megabytes if isinstance(megabytes, int | float) else None,
    )


def parse_info(body: Mapping[str, Any]) -> AppInfo:
    """An answer of `GET /info`.

    Raises:
        ServiceUnavailableError: it is not one.
    """
    try:
        return AppInfo.model_validate(_without_nulls(body))
    except ValidationError as error:
        raise ServiceUnavailableError("Dify's account of the app cannot be read.") from error


def parse_upload(body: Mapping[str, Any]) -> UploadedFile:
    """An answer of `POST /files/upload`.

    Raises:
        ServiceUnavailableError: it is not one.
    """
    try:
        return UploadedFile.model_validate(body)
    except ValidationError as error:
        raise ServiceUnavailableError("Dify's answer to an upload names no file.") from error


def parse_log(body: Mapping[str, Any]) -> LogPage:
    """A page of `GET /workflows/logs`; rows without a run are left out."""
    rows = []
    listed = body.get("data")
    for entry in listed if isinstance(listed, list) else []:
        run = entry.get("workflow_run") if isinstance(entry, dict) else None
        if isinstance(run, dict) and isinstance(run.get("id"), str):
            owner = entry.get("created_by_end_user")
            user = owner.get("session_id") if isinstance(owner, dict) else None
            rows.append(LogRow(run_id=run["id"], user=user if isinstance(user, str) else None))
    return LogPage(rows=tuple(rows), has_more=body.get("has_more") is True)


def _parse_field(kind: str, values: Mapping[str, Any]) -> FormField:
    longest = values.get("max_length")
    options = values.get("options")
    return FormField(
        kind=str(values.get("type") or kind),
        variable=values["variable"],
        required=bool(values.get("required")),
        max_length=longest if isinstance(longest, int) and longest > 0 else None,
        options=tuple(map(str, options)) if isinstance(options, list) else (),
    )


def parse_event(data: str) -> RunEvent:
    """An event of a stream.

    Raises:
        ServiceUnavailableError: it is not one; the stream was cut in the middle of it.
    """
    try:
        sent = json.loads(data)
        return RunEvent.model_validate(_without_nulls(sent) if isinstance(sent, dict) else sent)
    except ValueError as error:
        raise ServiceUnavailableError("Dify's stream holds something unreadable.") from error


def parse_detail(body: Mapping[str, Any]) -> RunDetail:
    """A run, from its detail or from the data of its last event.

    Raises:
        ServiceUnavailableError: it is not one.
    """
    told = _without_nulls(body)
    try:
        if isinstance(told.get("outputs"), str):  # older Difys give the outputs as JSON in a text
            told["outputs"] = json.loads(told["outputs"])
        return RunDetail.model_validate(told)
    except json.JSONDecodeError as error:
        raise ServiceUnavailableError("Dify's account of a run has garbled outputs.") from error
    except ValidationError as error:
        raise ServiceUnavailableError(
            f"Dify's account of a run cannot be read: {error.errors()[0]['msg']}."
        ) from None


def _without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
