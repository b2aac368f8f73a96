"""Versions of brand rules."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from adspark.models import columns


class RuleVersion(SQLModel, table=True):
    """A file of brand rules as it was set; the latest of a user, and of the workspace, counts."""

    __tablename__ = "rule_version"
    __table_args__ = (
        UniqueConstraint("user_id", "version", postgresql_nulls_not_distinct=True),
        CheckConstraint("version > 0", name="version"),
    )

    id: int = columns.key()
    user_id: int | None = Field(default=None, description="None: the workspace's.")
    version: int
    source: str = Field(sa_type=Text, description="YAML.")
    created_at: datetime = columns.now()
