"""What commands print with `--json` of the runs of a server; with it Prefect is imported."""

from deployments.operations.runs.failures import FailureGroup
from deployments.operations.runs.report import RunReport
from deployments.terminal.documents import Document


class TaskDocument(Document, RunReport, shape="task/1", commands=("task",)):
    """All about one run."""


class FailureList(Document, shape="failure-list/1", commands=("failures",)):
    """What failed and was not mended since, by cause."""

    failures: list[FailureGroup]
