"""What `adspark budget` prints with `--json`."""

from adspark.watches.sharing.use import SharedBudget
from adspark.watches.simulation.report import SimulationReport
from deployments.terminal.documents import Document


class BudgetDocument(Document, SharedBudget, shape="budget/1", commands=("budget",)):
    """What searching costs, and how users share it."""


class SimulationDocument(
    Document, SimulationReport, shape="budget-simulation/1", commands=("budget",)
):
    """A simulated month of sweeps."""
