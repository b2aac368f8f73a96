"""What `adspark rules` prints with `--json`."""

from pydantic import Field

from adspark.rules.definition import Rules
from adspark.rules.store import StoredRules
from deployments.terminal.documents import Document


class RulesChecked(Document, shape="rules-checked/1", commands=("rules check",)):
    """A file without mistakes."""

    rules: Rules


class RulesSet(Document, shape="rules-set/1", commands=("rules set",)):
    """A file that was stored."""

    user_id: int | None = Field(description="None: the workspace's, which are for everybody.")
    version: int
    changed: bool = Field(description="False: this text was in force already.")


class RulesReport(Document, shape="rules/1", commands=("rules show",)):
    """The rules in force for a user's variants, and the files that they are from."""

    user_id: int | None = Field(description="None: the workspace's alone.")
    rules: Rules | None = Field(description="None: there are none.")
    files: list[StoredRules]


class RulesHistory(Document, shape="rules-history/1", commands=("rules history",)):
    """The stored versions, the latest first."""

    versions: list[StoredRules]
