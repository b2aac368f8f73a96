"""Users, their shares of searches, and the accounts of the gallery."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, Text
from sqlmodel import Field, SQLModel

from adspark.models import columns

DEFAULT_USER = 1
"""The user of what is made without naming one."""


DEFAULT_WEIGHT = 1
"""The weight of a user who was given none, in the sharing of searches."""


class Role(StrEnum):
    """What an account may do in the gallery: look, or change and spend as well."""

    READER = "reader"
    EDITOR = "editor"


class AppUser(SQLModel, table=True):
    """The name of a user, whose number all data bears; numbers without a name are users too."""

    __tablename__ = "app_user"
    __table_args__ = (
        CheckConstraint("char_length(name) BETWEEN 1 AND 100", name="name"),
        CheckConstraint("name_key !~ '^[+-]?[0-9]*$'", name="name_key"),
    )

    user_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    name: str = Field(sa_type=Text)
    name_key: str = Field(
        sa_column=Column(Text, nullable=False, unique=True),
        description="The same for names that differ in case only.",
    )
    created_at: datetime = columns.now()


class SearchShare(SQLModel, table=True):
    """A user's weight: their share of the searches of sweeps, where these are too few for all.

    A user who has none here has the weight 1, named or not.
    """

    __tablename__ = "search_share"
    __table_args__ = (CheckConstraint("weight BETWEEN 1 AND 100", name="weight"),)

    user_id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    weight: int


class Account(SQLModel, table=True):
    """How a user signs in to the gallery: a password, kept as its Argon2 hash, and a role."""

    __table_args__ = (columns.one_of("role", Role),)

    user_id: int = Field(
        sa_column=Column(
            Integer,
            ForeignKey("app_user.user_id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        )
    )
    password_hash: str = Field(sa_type=Text)
    role: Role = columns.choice(Role, nullable=False)
    locked_at: datetime | None = columns.moment()
    updated_at: datetime = columns.now()


class AccountSession(SQLModel, table=True):
    """A browser in which an account is signed in, by the hash of its cookie."""

    __tablename__ = "account_session"

    token_hash: str = Field(primary_key=True, sa_type=Text)
    user_id: int = columns.belongs_to("account.user_id", index=True)
    expires_at: datetime = Field(sa_column=Column(columns.MOMENT, nullable=False))
