"""What `adspark budget` prints with `--json`."""

from adspark.watches.budgets import BudgetReport
from deployments.terminal.documents import Document


class BudgetDocument(Document, BudgetReport):
    """What searching costs."""

    SHAPE = "budget/1"
    COMMANDS = ("budget",)
