"""What `adspark watch` prints with `--json`."""

from pydantic import BaseModel, Field

from adspark.models import Fetch
from adspark.watches.definition import WatchDefinition
from adspark.watches.news import News
from adspark.watches.store import Outcome
from adspark.watches.stored import WatchRow
from deployments.terminal.documents import Document

BEGINS_ANEW = "its search is another one now: what it finds first counts as known."
"""What is said of a watch whose search was changed."""


class WatchList(Document, shape="watch-list/1", commands=("watch list",)):
    """The watches."""

    watches: list[WatchRow]


class WatchReport(Document, WatchRow, shape="watch/1", commands=("watch show",)):
    """One watch, the latest of what it noticed, and its last fetches."""

    events: list[News]
    fetches: list[Fetch]


class WatchSaved(Document, shape="watch-saved/1", commands=("watch create", "watch change")):
    """A watch that was created or changed."""

    watch_id: int
    outcome: Outcome
    begins_anew: bool = Field(description="Its search is another one now.")
    definition: WatchDefinition
    cost: str = Field(description="What it costs a month at most, in words.")
    warnings: list[str]


class WatchSwitched(Document, shape="watch-switched/1", commands=("watch pause", "watch resume")):
    """A watch that was paused or resumed."""

    watch_id: int
    name: str
    is_active: bool
    changed: bool = Field(description="False: it was so already.")


class WatchDeleted(Document, shape="watch-deleted/1", commands=("watch delete",)):
    """A watch that was deleted, and what went with it."""

    watch_id: int
    name: str
    creatives: int = Field(description="Ads to which its links were deleted; the ads stay.")
    events: int


class FieldChange(BaseModel):
    """A field of a watch that has another value now; null where it has none."""

    field: str
    before: str | int | bool | list[str] | None
    after: str | int | bool | list[str] | None


class ImportedWatch(BaseModel):
    """A watch of the file."""

    user_id: int
    name: str
    outcome: Outcome
    changes: list[FieldChange] = Field(description="Of a watch that was there already.")
    begins_anew: bool = Field(description="Its search is another one now.")
    cost: str = Field(description="What it costs a month at most, in words.")


class WatchesImported(Document, shape="watches-imported/1", commands=("watch import",)):
    """What importing a file did, or would do."""

    watches: list[ImportedWatch]
    warnings: list[str]
    dry_run: bool


class WatchesExported(Document, shape="watches-exported/1", commands=("watch export",)):
    """The definitions of the watches, or where they were written."""

    file: str | None = Field(description="None: they are in `definitions`.")
    watches: int
    definitions: list[WatchDefinition] = Field(description="Empty where there is a file.")
