"""What `adspark users` prints with `--json`."""

from pydantic import Field

from adspark.models import Role
from adspark.users.store import UserRow
from adspark.variants.budget import BudgetOfUser
from deployments.terminal.documents import Document


class UserList(Document):
    """The users, also those without a name."""

    SHAPE = "user-list/1"
    COMMANDS = ("users list",)

    users: list[UserRow]


class UserSaved(Document):
    """A user who was given a name."""

    SHAPE = "user-saved/1"
    COMMANDS = ("users add", "users rename")

    user_id: int
    name: str


class UserAccess(Document):
    """Whether a user may sign in to the gallery."""

    SHAPE = "user-access/1"
    COMMANDS = ("users password", "users lock")

    user_id: int
    role: Role | None = Field(description="None: they cannot sign in.")
    changed: bool = Field(description="False: they could not sign in before either.")


class UserWeight(Document):
    """A user whose share of the searches was set."""

    SHAPE = "user-weight/1"
    COMMANDS = ("users weigh",)

    user_id: int
    weight: int


class UserBudget(Document, BudgetOfUser):
    """A user's budget of generations, and what is used of it."""

    SHAPE = "user-budget/1"
    COMMANDS = ("users budget",)
