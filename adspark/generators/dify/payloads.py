"""What Dify sends, parsed at the door: the app's form, stream events, runs, uploads, its log.

Source: Dify's OpenAPI of workflow apps (https://docs.dify.ai/en/api-reference). Unknown fields and
unknown kinds of events are let through; what a run came to is not guessed at.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    SecretStr,
    StringConstraints,
    ValidationError,
)

from adspark.errors import ServiceUnavailableError
from adspark.net.json_responses import UnreadableJsonError, parse_json
from adspark.validation.messages import describe_validation_error

STARTED = "workflow_started"
FINISHED = "workflow_finished"
PAUSED = "workflow_paused"
ERROR = "error"
PING = "ping"
NODE_STARTED = "node_started"
NODE_FINISHED = "node_finished"

_NEEDED = ("id", "status", "outputs")  # of a run; everything else is for the record
_TELLING = 3.0  # seconds that a run has to take for its times to tell when it was listed
_LONGEST_ID = 200  # characters; Dify's have 36
_LONGEST_ADDRESS = 8000  # characters; a signed one has 200
_MOST_FIELDS = 200  # of a form, and choices of a field
_MOST_ROWS = 1000  # of a page of the log, of which 100 are asked for
_Kind = TypeVar("_Kind")


def _name(value: object) -> object:
    """What is too long to be a name is none; it would be kept, and go into addresses."""
    return None if isinstance(value, str) and len(value) > _LONGEST_ID else value


_Name = Annotated[str | None, BeforeValidator(_name)]
_Id = Annotated[str, StringConstraints(max_length=_LONGEST_ID)]


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

    id: _Id
    source_url: Annotated[str, StringConstraints(max_length=_LONGEST_ADDRESS)] | None = None


class LogRow(_Payload):
    """One run in Dify's log; times are in epoch seconds.

    Attributes:
        user: who started it, if that was no account of Dify's.
        listed_at: when the log got it.
    """

    run_id: str
    user: str | None = None
    status: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    listed_at: float | None = None

    @property
    def was_listed_late(self) -> bool | None:
        """Whether it was listed when it ended, not when it began; None where that is not told."""
        if self.status in (RunStatus.SCHEDULED, RunStatus.RUNNING, RunStatus.PAUSED):
            return False
        if self.started_at is None or self.finished_at is None or self.listed_at is None:
            return None
        if self.finished_at - self.started_at < _TELLING:
            return None
        return self.listed_at - self.started_at > self.finished_at - self.listed_at

    def is_older_than(self, moment: float) -> bool:
        """Whether it surely was listed before a moment, in epoch seconds."""
        return self.listed_at is not None and self.listed_at < moment


class LogPage(_Payload):
    """A page of Dify's log, newest first."""

    rows: tuple[LogRow, ...]
    has_more: bool = False


class RunEvent(_Payload):
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


class RunDetail(_Payload):
    """A run as it is now, or as its last event told."""

    id: _Id
    status: Annotated[RunStatus | _Id, Field(union_mode="left_to_right")]
    workflow_id: _Name = None
    outputs: dict[str, JsonValue] | None = None
    error: str | None = None
    elapsed_time: float | None = None
    total_tokens: int | None = None
    total_steps: int | None = None
    files: list[JsonValue] = Field(default_factory=list)

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
    """A page of `GET /workflows/logs`; rows without a run are left out.

    Raises:
        ServiceUnavailableError: it is none; what it does not show proves nothing.
    """
    listed = body.get("data")
    if not isinstance(listed, list):
        raise ServiceUnavailableError("Dify's log cannot be read: it lists no runs.")
    if len(listed) > _MOST_ROWS:
        raise ServiceUnavailableError(
            f"Dify's log cannot be read: a page of it lists {len(listed)} runs."
        )
    rows = []
    for entry in listed:
        run = entry.get("workflow_run") if isinstance(entry, dict) else None
        if isinstance(run, dict) and isinstance(_name(run.get("id")), str):
            owner = entry.get("created_by_end_user")
            user = owner.get("session_id") if isinstance(owner, dict) else None
            rows.append(
                LogRow(
                    run_id=run["id"],
                    user=_given(user, str),
                    status=_given(run.get("status"), str),
                    started_at=_given(run.get("created_at"), int, float),
                    finished_at=_given(run.get("finished_at"), int, float),
                    listed_at=_given(entry.get("created_at"), int, float),
                )
            )
    return LogPage(rows=tuple(rows), has_more=body.get("has_more") is True)


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
    """An event of a stream.

    Args:
        data: as it was sent.
        secret: the key that Dify was asked with, which is masked.

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
    told = _without_nulls(body)
    try:
        if isinstance(told.get("outputs"), str):  # older Difys give the outputs as JSON in a text
            told["outputs"] = parse_json(told["outputs"].encode(errors="replace"))
        return _validated(told)
    except UnreadableJsonError as error:
        raise ServiceUnavailableError("Dify's account of a run has garbled outputs.") from error
    except ValidationError as error:
        raise ServiceUnavailableError(
            "Dify's account of a run cannot be read: a field "
            f"{describe_validation_error(error.errors()[0])}."
        ) from None


def parse_end(event: RunEvent) -> RunDetail | None:
    """What a run came to by its last event; None where the event does not say.

    The event may leave out the run's name and, with outputs, its status: it says itself that the
    run is over.
    """
    told = {"id": event.workflow_run_id or "", **_without_nulls(event.data)}
    if told.get("outputs"):
        told.setdefault("status", RunStatus.SUCCEEDED)
    try:
        end = parse_detail(told)
    except ServiceUnavailableError:
        return None
    if end.is_over or not end.is_known:
        return end
    return end.model_copy(update={"status": RunStatus.SUCCEEDED}) if end.outputs else None


def parse_end_node(event: RunEvent) -> dict[str, JsonValue]:
    """The workflow's outputs as its end node gave them, before the run itself was told as over."""
    outputs = event.data.get("outputs")
    is_end = event.event == NODE_FINISHED and event.text("node_type") == "end"
    is_well = event.text("status") == RunStatus.SUCCEEDED
    return outputs if is_end and is_well and isinstance(outputs, dict) else {}


def _validated(told: Mapping[str, Any]) -> RunDetail:
    """The run, without its figures where those are not as they should be."""
    try:
        return RunDetail.model_validate(told)
    except ValidationError:
        needed = {name: told[name] for name in _NEEDED if name in told}
        if isinstance(told.get("error"), str):
            needed["error"] = told["error"]
        return RunDetail.model_validate(needed)


def _given(value: Any, *kinds: type[_Kind]) -> _Kind | None:  # noqa: ANN401
    """A value if it is of one of the kinds; what Dify leaves out or garbles is not told."""
    return value if isinstance(value, kinds) and not isinstance(value, bool) else None


def _without_nulls(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}
