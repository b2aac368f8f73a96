"""What commands print with `--json` of the runs of a server; with it Prefect is imported."""

from deployments.operations.runs.failures import FailureGroup
from deployments.operations.runs.report import RunReport
from deployments.terminal.documents import Document


class TaskDocument(Document, RunReport):
    """All about one run."""

    SHAPE = "task/1"
    COMMANDS = ("task",)


class FailureList(Document):
    """What failed and was not mended since, by cause."""

    SHAPE = "failure-list/1"
    COMMANDS = ("failures",)

    failures: list[FailureGroup]
