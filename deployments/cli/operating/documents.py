"""What the commands of operators print with `--json`."""

from pydantic import BaseModel, Field

from deployments.terminal.documents import Document


class ProcessDocument(Document, shape="stack-process/1", commands=("up",)):
    """A process of the stack whose state has changed: a line each."""

    name: str
    state: str
    address: str
    log: str | None


class StackReady(Document, shape="stack-ready/1", commands=("up",)):
    """A stack that is ready."""

    gallery_url: str
    ui_url: str
    api_url: str
    sandbox_url: str | None = Field(description="None: it works on SerpApi.")
    not_set_up: list[str] = Field(description="What it cannot do yet, and the remedy.")


class StackStopped(Document, shape="stack-stopped/1", commands=("down", "up")):
    """A stack that was stopped."""

    changed: bool = Field(description="False: none was running.")


class MetricsServed(Document, shape="metrics-served/1", commands=("metrics",)):
    """Where figures for Prometheus are served."""

    url: str


class PoolDocument(Document, shape="pool/1", commands=("pause", "resume", "drain", "scale")):
    """A pool after what was done to it."""

    pool: str
    is_paused: bool | None = Field(default=None, description="None: as it was.")
    skipped: int = Field(default=0, description="Late runs of schedules that were dropped.")
    slots: int | None = Field(default=None, description="Runs at once; None: any number, or as it "
                              "was.")  # fmt: skip
    slots_before: int | None = None


class DatabaseDocument(
    Document, shape="database/1", commands=("db create", "db upgrade", "db current", "db check")
):
    """The schema of the database."""

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


class DoctorDocument(Document, shape="doctor/1", commands=("doctor",)):
    """What was checked on this machine."""

    ok: bool = Field(description="Nothing has failed.")
    checks: list[CheckDocument]


class ReportDocument(Document, shape="report/1", commands=("report",)):
    """A report that was written."""

    file: str
    bytes: int
    problems: int = Field(description="What doctor found to have failed.")


class SetUpDocument(Document, shape="set-up/1", commands=("init",)):
    """What `adspark init` has come to."""

    sandbox: bool
    gallery_url: str
    ui_url: str
    watch_id: int | None = Field(description="None: no watch was made.")
    pictures: int = Field(description="That its first look has stored.")
