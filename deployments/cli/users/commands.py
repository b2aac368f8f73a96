"""`adspark users`: names beside the numbers of users, their shares, and who may sign in.

They are those of the running stack, else of the configured database. Prefect is not needed here.
"""

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.models import DEFAULT_USER, Role
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.users.accounts import lock_account, save_password
from adspark.users.store import (
    UserRow,
    add_user,
    find_user,
    list_users,
    rename_user,
    warn_of_like_name,
    weigh_user,
)
from adspark.validation.bounds import MONTHLY_BUDGET, USER_WEIGHT
from adspark.variants.budget import BudgetOfUser, read_budget, set_budget
from deployments.cli.database import in_session, warn_of_new_users
from deployments.cli.options import JsonOption
from deployments.cli.ranges import IDS, ranged, ranged_argument
from deployments.cli.users.documents import UserAccess, UserBudget, UserList, UserSaved, UserWeight
from deployments.terminal.choices import one_of
from deployments.terminal.output import out, print_json, print_line, print_warning
from deployments.terminal.questions import need
from deployments.terminal.tables import table

_NUMBER = f"Of a user without a name; {DEFAULT_USER} is who names none. Else a new one."

UserArgument = Annotated[str, Argument(metavar="USER", help="Number or name.")]
_Result = TypeVar("_Result")

app = typer.Typer()


@app.command()
def add(
    name: Annotated[str, Argument(help="The new user's name.")],
    number: Annotated[int | None, ranged(IDS, help=_NUMBER)] = None,
    as_json: JsonOption = False,
) -> None:
    """Add a user, or name a number that is in use."""

    async def act(session: AsyncSession) -> tuple[int, str | None]:
        given = await add_user(session, name=name, user_id=number)
        return given, await warn_of_like_name(session, user_id=given)

    given, warning = in_session(act, commits=True)
    _say_name(given, " ".join(name.split()), warning, as_json=as_json)


@app.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List the users, also those without a name, with what is theirs."""
    rows = in_session(list_users)
    print_json(UserList(users=rows)) if as_json else _print(rows)


@app.command()
def rename(
    user: UserArgument,
    name: Annotated[str, Argument(help="The new name.")],
    as_json: JsonOption = False,
) -> None:
    """Give a user another name; all that is theirs stays theirs."""

    async def act(session: AsyncSession, number: int) -> tuple[str, str | None]:
        kept = await rename_user(session, user_id=number, name=name)
        return kept, await warn_of_like_name(session, user_id=number)

    number, (kept, warning) = _of_user(user, act)
    _say_name(number, kept, warning, as_json=as_json)


@app.command()
def weigh(
    user: UserArgument,
    weight: Annotated[
        int, ranged_argument(USER_WEIGHT, help="1 to 100; who was given none has 1.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Give a user's watches a larger or smaller share where searches are too few for all.

    Of two users with the weights 1 and 3, the second gets three searches for each of the first.
    """
    number, _ = _of_user(
        user, lambda session, number: weigh_user(session, user_id=number, weight=weight)
    )
    if as_json:
        print_json(UserWeight(user_id=number, weight=weight))
    else:
        print_line(f"User {number} has the weight {weight}.")


@app.command()
def budget(
    user: UserArgument,
    generations: Annotated[
        int | None,
        ranged_argument(MONTHLY_BUDGET, help="In a month, at most; without it, show the budget."),
    ] = None,
    unlimited: Annotated[bool, Option("--unlimited", help="Take the bound away.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show or set how many generations of variants a user may have in a calendar month (UTC).

    What was requested before a budget is lowered is carried out.
    """
    changes = one_of("GENERATIONS", generations is not None, "--unlimited", unlimited) is not None

    async def act(session: AsyncSession, number: int) -> BudgetOfUser:
        if changes:
            await set_budget(session, user_id=number, monthly=generations)
        return await read_budget(session, user_id=number)

    _, found = _of_user(user, act, commits=changes)
    if as_json:
        print_json(UserBudget.of(found))
        return
    bound = (
        "no budget" if found.monthly is None else f"{counted(found.monthly, 'generation')} a month"
    )
    print_line(
        f"User {found.user_id} has {bound}: {found.used} used, {found.reserved} requested; "
        f"renews on {found.renews_on} (UTC)."
    )


@app.command()
def password(
    user: UserArgument,
    role: Annotated[
        Role, Option(help="A reader looks; an editor changes and spends.")
    ] = Role.EDITOR,
    from_stdin: Annotated[
        bool, Option("--stdin", help="Read the password from standard input.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Let a user sign in to the gallery with a password; ends their sessions."""
    given = sys.stdin.readline().rstrip("\n") if from_stdin else _ask_password()
    number, _ = _of_user(
        user,
        lambda session, number: save_password(session, user_id=number, password=given, role=role),
    )
    if as_json:
        print_json(UserAccess(user_id=number, role=role, changed=True))
    else:
        print_line(f"User {number} signs in with this password, as {role.value}.")


@app.command()
def lock(
    user: UserArgument,
    as_json: JsonOption = False,
) -> None:
    """Let a user sign in to the gallery no more; ends their sessions, and keeps what is theirs.

    A new password lets them sign in again.
    """
    number, had_one = _of_user(user, lambda session, number: lock_account(session, user_id=number))
    if as_json:
        print_json(UserAccess(user_id=number, role=None, changed=had_one))
        return
    if had_one:
        print_line(f"User {number} can no more sign in.")
    else:
        print_line(f"User {number} has no password that lets them sign in; nothing to lock.")
    print_line(f"With a new password they can (again): adspark users password {number}")


def _of_user(
    written: str,
    act: Callable[[AsyncSession, int], Awaitable[_Result]],
    *,
    commits: bool = True,
) -> tuple[int, _Result]:
    """The number of the user that a person names, and what comes of the act on it."""

    async def act_on_number(session: AsyncSession) -> tuple[int, _Result]:
        number = await find_user(session, written=written)
        if commits:
            await warn_of_new_users(session, [number])
        return number, await act(session, number)

    return in_session(act_on_number, commits=commits)


def _ask_password() -> str:
    need("--stdin", "Password")
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return given


def _say_name(number: int, name: str, warning: str | None, *, as_json: bool) -> None:
    if warning is not None:
        print_warning(warning)
    if as_json:
        print_json(UserSaved(user_id=number, name=name))
    else:
        print_line(f"User {number} is {escape(plain(name))}.")


def _print(rows: Sequence[UserRow]) -> None:
    cells = [
        {
            "number": row.user_id,
            "name": None if row.name is None else plain(row.name),
            "signs in": row.sign_in.value if row.role is None else f"as {row.role.value}",
            "weight": row.weight,
            "watches": row.watches,
            "boards": row.boards,
            "tags": row.tags,
            "notes": row.notes,
            "variants": row.variants,
        }
        for row in rows
    ]
    if any(row.generation_budget is not None for row in rows):
        for cell, row in zip(cells, rows, strict=True):
            most = row.generation_budget
            cell["budget"] = None if most is None else f"{row.generations_used}/{most}"
    out.print(table("Users", cells, wraps="name"))
