"""What `adspark users` prints with `--json`."""

from pydantic import Field

from adspark.models import Role
from adspark.users.store import UserRow
from adspark.variants.budget import BudgetOfUser
from deployments.terminal.documents import Document


class UserList(Document, shape="user-list/1", commands=("users list",)):
    """The users, also those without a name."""

    users: list[UserRow]


class UserSaved(Document, shape="user-saved/1", commands=("users add", "users rename")):
    """A user who was given a name."""

    user_id: int
    name: str


class UserAccess(Document, shape="user-access/1", commands=("users password", "users lock")):
    """Whether a user may sign in to the gallery."""

    user_id: int
    role: Role | None = Field(description="None: they cannot sign in.")
    changed: bool = Field(description="False: they could not sign in before either.")


class UserWeight(Document, shape="user-weight/1", commands=("users weigh",)):
    """A user whose share of the searches was set."""

    user_id: int
    weight: int


class UserBudget(Document, BudgetOfUser, shape="user-budget/1", commands=("users budget",)):
    """A user's budget of generations, and what is used of it."""
