"""What Dify sends, parsed at the door: the app's form, stream events, runs, uploads.

Source: Dify's OpenAPI of workflow apps (https://docs.dify.ai/en/api-reference). Unknown fields and
unknown kinds of events are let through; what a run came to is not guessed at.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from adspark.errors import ServiceUnavailableError
from adspark.net.json_responses import UnreadableJsonError, parse_json
from adspark.validation.messages import describe_validation_error

FINISHED = "workflow_finished"
PAUSED = "workflow_paused"
ERROR = "error"
PING = "ping"
NODE_STARTED = "node_started"
NODE_FINISHED = "node_finished"
LAST_EVENTS = (FINISHED, PAUSED, ERROR)

_LONGEST_ID = 200  # characters; Dify's have 36
_LONGEST_ADDRESS = 8000  # characters; a signed one has 200
_MOST_FIELDS = 200  # of a form, and choices of a field


def _short_name(value: object) -> object:
    """What is too long to be a name is none; it would be stored, and go into addresses."""
    return None if isinstance(value, str) and len(value) > _LONGEST_ID else value


def _or_none(value: object, validate: ValidatorFunctionWrapHandler) -> object:
    """What Dify garbles is left out, where it is for the record only."""
    try:
        return validate(value)
    except ValidationError:
        return None


_Name = Annotated[str | None, BeforeValidator(_short_name)]
Text = Annotated[str | None, WrapValidator(_or_none)]
Number = Annotated[float | None, Field(strict=True), WrapValidator(_or_none)]
_Count = Annotated[int | None, WrapValidator(_or_none)]
_List = Annotated[
    list[JsonValue], BeforeValidator(lambda given: given if isinstance(given, list) else [])
]
Id = Annotated[str, StringConstraints(max_length=_LONGEST_ID)]


class RunStatus(StrEnum):
    """How far a run is. `partial-succeeded`: some node failed and the workflow went around it."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    PARTIAL = "partial-succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    PAUSED = "paused"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come of it."""
        return self not in (RunStatus.SCHEDULED, RunStatus.RUNNING, RunStatus.PAUSED)


class Payload(BaseModel):
    """What Dify sent; fields that are not known here are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class FormField(Payload):
    """One input of the app's form."""

    kind: str  # text-input, paragraph, select, number, file, file-list, …
    variable: str
    required: bool = False
    max_length: int | None = None  # characters; 0 or None is no bound
    options: tuple[str, ...] = ()

    @property
    def takes_files(self) -> bool:
        """Whether it takes file objects, not text."""
        return self.kind in ("file", "file-list")


class AppForm(Payload):
    """The form of an app: its inputs."""

    fields: tuple[FormField, ...]

    def field(self, variable: str) -> FormField | None:
        """The input of that name."""
        return next((one for one in self.fields if one.variable == variable), None)


class UploadedFile(Payload):
    """A file that Dify keeps for a user; `source_url` is signed and expires."""

    id: Id
    source_url: Annotated[str, StringConstraints(max_length=_LONGEST_ADDRESS)] | None = None


class RunEvent(Payload):
    """One event of a run's stream."""

    event: str
    task_id: _Name = None
    workflow_run_id: _Name = None
    data: dict[str, JsonValue] = Field(default_factory=dict)
    code: str | None = Field(default=None, description="Of an `error` event.")
    message: str | None = Field(default=None, description="Of an `error` event.")
    status: int | None = Field(default=None, description="Of an `error` event.")

    def text(self, name: str) -> str:
        """A text in its data, or nothing."""
        value = self.data.get(name)
        return value if isinstance(value, str) else ""


class RunDetail(Payload):
    """A run as it is now, or as its last event says."""

    id: Id
    status: Annotated[RunStatus | Id, Field(union_mode="left_to_right")]
    workflow_id: Annotated[_Name, WrapValidator(_or_none)] = None
    outputs: dict[str, JsonValue] | None = None
    error: Text = None
    elapsed_time: Annotated[float | None, WrapValidator(_or_none)] = None
    total_tokens: _Count = None
    total_steps: _Count = None
    files: _List = Field(default_factory=list)

    @property
    def is_known(self) -> bool:
        """Whether its status is one of the contract."""
        return isinstance(self.status, RunStatus)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come of it; outputs under an unknown status are a result."""
        if isinstance(self.status, RunStatus):
            return self.status.is_final
        return bool(self.outputs)


def parse_form(body: Mapping[str, Any]) -> AppForm:
    """The form in an answer of `GET /parameters`: a list of objects with one key, the kind."""
    fields = []
    listed = body.get("user_input_form")
    for entry in listed[:_MOST_FIELDS] if isinstance(listed, list) else []:
        for kind, values in list(entry.items())[:1] if isinstance(entry, dict) else ():
            if isinstance(values, dict) and isinstance(values.get("variable"), str):
                fields.append(_parse_field(kind, values))
    return AppForm(fields=tuple(fields))


def parse_upload(body: Mapping[str, Any]) -> UploadedFile:
    """An answer of `POST /files/upload`. Raises ServiceUnavailableError where it is not one."""
    try:
        return UploadedFile.model_validate(body)
    except ValidationError as error:
        raise ServiceUnavailableError("Dify's answer to an upload names no file.") from error


def _parse_field(kind: str, values: Mapping[str, Any]) -> FormField:
    longest = values.get("max_length")
    options = values.get("options")
    return FormField(
        kind=str(values.get("type") or kind),
        variable=values["variable"],
        required=bool(values.get("required")),
        max_length=longest if isinstance(longest, int) and longest > 0 else None,
        options=tuple(map(str, options[:_MOST_FIELDS])) if isinstance(options, list) else (),
    )


def parse_event(data: str, *, secret: SecretStr | None = None) -> RunEvent:
    """An event of a stream, as it was sent, but for the request's key (`secret`).

    Raises:
        ServiceUnavailableError: it is not one; the stream was cut in the middle of it.
    """
    try:
        sent = parse_json(data.encode(errors="replace"), secret=secret)
        return RunEvent.model_validate(_without_nulls(sent) if isinstance(sent, dict) else sent)
    except ValueError as error:
        raise ServiceUnavailableError("Dify's stream holds something unreadable.") from error


def parse_detail(body: Mapping[str, Any]) -> RunDetail:
    """A run, from its detail or from the data of its last event.

    Raises:
        ServiceUnavailableError: it is not one.
    """
    given = _without_nulls(body)
    try:
        if isinstance(given.get("outputs"), str):  # older Difys give the outputs as JSON in a text
            given["outputs"] = parse_json(given["outputs"].encode(errors="replace"))
        return RunDetail.model_validate(given)
    except UnreadableJsonError as error:
        raise ServiceUnavailableError("Dify's account of a run has garbled outputs.") from error
    except ValidationError as error:
        raise ServiceUnavailableError(
            "Dify's account of a run cannot be read: a field "
            f"{describe_validation_error(error.errors()[0])}."
        ) from None


def parse_end(event: RunEvent) -> RunDetail | None:
    """What a run came to, by its last event; None by any other, or where it does not say.

    The event may leave out the run's id and, with outputs, its status: it says itself that the
    run is over.
    """
    if event.event != FINISHED:
        return None
    given = {"id": event.workflow_run_id or "", **_without_nulls(event.data)}
    if given.get("outputs"):
        given.setdefault("status", RunStatus.SUCCEEDED)
    try:
        end = parse_detail(given)
    except ServiceUnavailableError:
        return None
    if end.is_over or not end.is_known:
        return end
    return end.model_copy(update={"status": RunStatus.SUCCEEDED}) if end.outputs else None


def parse_end_node(event: RunEvent) -> dict[str, JsonValue]:
    """The workflow's outputs as its end node gave them, before the run itself has ended."""
    outputs = event.data.get("outputs")
    is_end = event.event == NODE_FINISHED and event.text("node_type") == "end"
    is_well = event.text("status") == RunStatus.SUCCEEDED
    return outputs if is_end and is_well and isinstance(outputs, dict) else {}


def _without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
