"""What `adspark budget` prints with `--json`."""

from adspark.watches.sharing.use import SharedBudget
from adspark.watches.simulation.report import SimulationReport
from deployments.terminal.documents import Document


class BudgetDocument(Document, SharedBudget):
    """What searching costs, and how users share it."""

    SHAPE = "budget/1"
    COMMANDS = ("budget",)


class SimulationDocument(Document, SimulationReport):
    """A simulated month of sweeps."""

    SHAPE = "budget-simulation/1"
    COMMANDS = ("budget",)
