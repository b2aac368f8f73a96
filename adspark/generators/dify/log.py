"""Dify's log, parsed at the door: which runs there are, and when it listed them."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import AliasPath, Field, ValidationError

from adspark.errors import ServiceUnavailableError
from adspark.generators.dify.payloads import Id, Number, Payload, RunStatus, Text

_USER = AliasPath("created_by_end_user", "session_id")
_TELLING = 3.0  # seconds that a run has to take for its times to show when it was listed
_MOST_ROWS = 1000  # of a page of the log, of which 100 are requested


def _of_run(name: str) -> AliasPath:
    return AliasPath("workflow_run", name)


class LogRow(Payload):
    """One run in Dify's log; times are in epoch seconds, `user` is None for accounts of Dify's."""

    run_id: Id = Field(validation_alias=_of_run("id"))
    user: Text = Field(default=None, validation_alias=_USER)
    status: Text = Field(default=None, validation_alias=_of_run("status"))
    started_at: Number = Field(default=None, validation_alias=_of_run("created_at"))
    finished_at: Number = Field(default=None, validation_alias=_of_run("finished_at"))
    listed_at: Number = Field(default=None, validation_alias="created_at")

    @property
    def was_listed_late(self) -> bool | None:
        """Whether it was listed when it ended, not when it began; None if unknown."""
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


class LogPage(Payload):
    """A page of Dify's log, newest first."""

    rows: tuple[LogRow, ...]
    has_more: bool = False


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
        with suppress(ValidationError):
            rows.append(LogRow.model_validate(entry))
    return LogPage(rows=tuple(rows), has_more=body.get("has_more") is True)
