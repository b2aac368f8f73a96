"""The kinds of columns and conditions that tables have again and again; names of constraints.

All that are not given a value when the object is made get one from the database, or NULL.
"""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Identity,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlmodel import Field, SQLModel

# Set before the first table: every module of tables imports this one.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention

MOMENT: Any = DateTime(timezone=True)


class EnumText(TypeDecorator[StrEnum]):
    """Text in the database, a member of an enum in Python."""

    impl = Text
    cache_ok = True

    def __init__(self, members: type[StrEnum]) -> None:
        super().__init__()
        self.members = members

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        return None if value is None else self.members(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.members(value)


def quoted_values(values: type[StrEnum]) -> str:
    """The members' values as SQL literals with commas between them."""
    return ", ".join(f"'{value}'" for value in values)


def one_of(column: str, values: type[StrEnum]) -> CheckConstraint:
    """That the column holds a member's value."""
    return CheckConstraint(f"{column} IN ({quoted_values(values)})", name=column)


def readable(column: str) -> CheckConstraint:
    """That a moment or day is one that Python can read; it has no infinity, and fewer years."""
    bounds = f"{column} >= '0001-01-01 00:00+00' AND {column} < '10000-01-01 00:00+00'"
    return CheckConstraint(bounds, name=column)


def choice(members: type[StrEnum], *, nullable: bool = True, **more: Any) -> Any:  # noqa: ANN401
    """A member of an enum, stored as its value."""
    column: Column[Any] = Column(EnumText(members), nullable=nullable, default=more.get("default"))
    return Field(sa_column=column, **more)


def moment(description: str | None = None, *, index: bool = False) -> Any:  # noqa: ANN401
    """An aware time in UTC."""
    column: Column[Any] = Column(MOMENT, index=index)
    return Field(default=None, sa_column=column, description=description)


def now(*, index: bool = False) -> Any:  # noqa: ANN401
    """The time of the transaction that makes the row."""
    column = Column(MOMENT, nullable=False, server_default=func.now(), index=index)
    return Field(default=None, sa_column=column)


def whole_number(default: int, description: str | None = None) -> Any:  # noqa: ANN401
    """An integer that is never missing."""
    column = Column(Integer, nullable=False, server_default=text(str(default)))
    return Field(default=default, sa_column=column, description=description)


def flag(description: str | None = None) -> Any:  # noqa: ANN401
    """A boolean, false unless it is set."""
    column = Column(Boolean, nullable=False, server_default=text("false"))
    return Field(default=False, sa_column=column, description=description)


def optional_text(description: str | None = None, *, index: bool = False) -> Any:  # noqa: ANN401
    """A text that may be missing."""
    return Field(default=None, sa_type=Text, index=index, description=description)


def texts(description: str | None = None) -> Any:  # noqa: ANN401
    """An array of texts, empty unless it is set."""
    column: Column[Any] = Column(ARRAY(Text), nullable=False, server_default=text("'{}'"))
    return Field(default_factory=list, sa_column=column, description=description)


def optional_json() -> Any:  # noqa: ANN401
    """A JSON value that may be missing."""
    column: Column[Any] = Column(JSONB(none_as_null=True))
    return Field(default=None, sa_column=column)


def key(kind: type[Integer] = Integer) -> Any:  # noqa: ANN401
    """A primary key that the database counts up."""
    return Field(default=None, sa_column=Column(kind, Identity(always=True), primary_key=True))


def of_watch(*, index: bool = True) -> Any:  # noqa: ANN401
    """The key of a watch, as long as that is there."""
    column: Column[Any] = Column(ForeignKey("watch.id", ondelete="SET NULL"), index=index)
    return Field(default=None, sa_column=column)


def belongs_to(column: str, **more: Any) -> Any:  # noqa: ANN401
    """The key of the row with which this one is deleted."""
    reference = ForeignKey(column, ondelete="CASCADE")
    return Field(sa_column=Column(reference, nullable=False, **more))
