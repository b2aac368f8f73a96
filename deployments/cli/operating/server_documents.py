"""What operators' commands print with `--json` of a server; with it Prefect is imported."""

from pydantic import Field

from deployments.operations.full_check import FullCheck
from deployments.operations.health import Health
from deployments.operations.monitoring import Snapshot
from deployments.provisioning.provision import Provisioned
from deployments.terminal.documents import Document


class StatusDocument(Document, Health):
    """How the system is; well where there are no problems."""

    SHAPE = "status/1"
    COMMANDS = ("status",)

    check: FullCheck | None = Field(default=None, description="With --check or --probe.")


class SnapshotDocument(Document, Snapshot):
    """The system at one moment: a line for each look."""

    SHAPE = "monitor/1"
    COMMANDS = ("monitor",)


class ProvisionDocument(Document, Provisioned):
    """What provisioning did, or would do, and what people's changes it kept."""

    SHAPE = "provision/1"
    COMMANDS = ("provision",)
