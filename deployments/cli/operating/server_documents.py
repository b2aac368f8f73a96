"""What operators' commands print with `--json` of a server; with it Prefect is imported."""

from pydantic import Field

from deployments.operations.full_check import FullCheck
from deployments.operations.health import Health
from deployments.operations.monitoring import Snapshot
from deployments.provisioning.provision import Provisioned
from deployments.terminal.documents import Document


class StatusDocument(Document, Health, shape="status/1", commands=("status",)):
    """How the system is; well where there are no problems."""

    check: FullCheck | None = Field(default=None, description="With --check or --probe.")


class SnapshotDocument(Document, Snapshot, shape="monitor/1", commands=("monitor",)):
    """The system at one moment: a line for each look."""


class ProvisionDocument(Document, Provisioned, shape="provision/1", commands=("provision",)):
    """What provisioning did, or would do, and what people's changes it kept."""
