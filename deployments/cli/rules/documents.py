"""What `adspark rules` prints with `--json`."""

from pydantic import Field

from adspark.rules.definition import Rules
from adspark.rules.store import StoredRules
from deployments.terminal.documents import Document


class RulesChecked(Document):
    """A file without mistakes."""

    SHAPE = "rules-checked/1"
    COMMANDS = ("rules check",)

    rules: Rules


class RulesSet(Document):
    """A file that was stored."""

    SHAPE = "rules-set/1"
    COMMANDS = ("rules set",)

    user_id: int | None = Field(description="None: the workspace's, which are for everybody.")
    version: int
    changed: bool = Field(description="False: this text was in force already.")


class RulesReport(Document):
    """The rules in force for a user's variants, and the files that they are from."""

    SHAPE = "rules/1"
    COMMANDS = ("rules show",)

    user_id: int | None = Field(description="None: the workspace's alone.")
    rules: Rules | None = Field(description="None: there are none.")
    files: list[StoredRules]


class RulesHistory(Document):
    """The stored versions, the latest first."""

    SHAPE = "rules-history/1"
    COMMANDS = ("rules history",)

    versions: list[StoredRules]
