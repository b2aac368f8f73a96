"""What the commands of operators print with `--json`."""

from pydantic import BaseModel, Field

from deployments.terminal.documents import Document


class ProcessDocument(Document):
    """A process of the stack whose state has changed: a line each."""

    SHAPE = "stack-process/1"
    COMMANDS = ("up",)

    name: str
    state: str
    address: str
    log: str | None


class StackReady(Document):
    """A stack that is ready."""

    SHAPE = "stack-ready/1"
    COMMANDS = ("up",)

    gallery_url: str
    ui_url: str
    api_url: str
    sandbox_url: str | None = Field(description="None: it works on SerpApi.")
    not_set_up: list[str] = Field(description="What it cannot do yet, and the remedy.")


class StackStopped(Document):
    """A stack that was stopped."""

    SHAPE = "stack-stopped/1"
    COMMANDS = ("down", "up")

    changed: bool = Field(description="False: none was running.")


class MetricsServed(Document):
    """Where figures for Prometheus are served."""

    SHAPE = "metrics-served/1"
    COMMANDS = ("metrics",)

    url: str


class PoolDocument(Document):
    """A pool after what was done to it."""

    SHAPE = "pool/1"
    COMMANDS = ("pause", "resume", "drain", "scale")

    pool: str
    is_paused: bool | None = Field(default=None, description="None: as it was.")
    skipped: int = Field(default=0, description="Late runs of schedules that were dropped.")
    slots: int | None = Field(default=None, description="Runs at once; None: any number, or as it "
                              "was.")  # fmt: skip
    slots_before: int | None = None


class DatabaseDocument(Document):
    """The schema of the database."""

    SHAPE = "database/1"
    COMMANDS = ("db create", "db upgrade", "db current", "db check")

    revision: str | None = Field(description="The migration that it is at; None: empty.")
    newest: str = Field(description="The one that AdSpark needs.")
    changed: bool = False
    missing_extensions: list[str] = Field(default_factory=list, description="A sentence each.")


class CheckDocument(BaseModel):
    """One thing that was checked."""

    name: str
    state: str = Field(description="ok, warning, failed or not set up.")
    what: str
    remedy: str = Field(description="The command or the setting that mends it.")


class DoctorDocument(Document):
    """What was checked on this machine."""

    SHAPE = "doctor/1"
    COMMANDS = ("doctor",)

    ok: bool = Field(description="Nothing has failed.")
    checks: list[CheckDocument]


class ReportDocument(Document):
    """A report that was written."""

    SHAPE = "report/1"
    COMMANDS = ("report",)

    file: str
    bytes: int
    problems: int = Field(description="What doctor found to have failed.")


class SetUpDocument(Document):
    """What `adspark init` has come to."""

    SHAPE = "set-up/1"
    COMMANDS = ("init",)

    sandbox: bool
    gallery_url: str
    ui_url: str
    watch_id: int | None = Field(description="None: no watch was made.")
    pictures: int = Field(description="That its first look has stored.")
