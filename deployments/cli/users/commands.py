"""`adspark users`: names beside the numbers of users, and who may sign in to the gallery.

They are those of the running stack, else of the configured database. Prefect is not needed here.
"""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.models import DEFAULT_USER, Role
from adspark.text.terminal import plain
from adspark.users.accounts import lock_account, save_password
from adspark.users.store import UserRow, add_user, find_user, list_users, rename_user
from deployments.cli.database import in_session
from deployments.cli.options import JsonOption
from deployments.cli.ranges import IDS, ranged
from deployments.terminal.output import out, print_json, print_line, table

_NUMBER = f"Of a user without a name; {DEFAULT_USER} is who names none. Else a new one."

app = typer.Typer(
    help="Users: names for their numbers, and passwords for the gallery.", no_args_is_help=True
)


@app.command()
def add(
    name: Annotated[str, Argument(help="The new user's name.")],
    number: Annotated[int | None, ranged(IDS, help=_NUMBER)] = None,
) -> None:
    """Add a user, or name a number that is in use."""
    given = in_session(lambda session: add_user(session, name=name, user_id=number), commits=True)
    print_line(f"User {given} is {escape(plain(' '.join(name.split())))}.")


@app.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List the users, also those without a name, with what is theirs."""
    rows = in_session(list_users)
    print_json({"users": rows}) if as_json else _print(rows)


@app.command()
def rename(
    user: Annotated[str, Argument(metavar="USER", help="Number or name.")],
    name: Annotated[str, Argument(help="The new name.")],
) -> None:
    """Give a user another name; all that is theirs stays theirs."""

    async def act(session: AsyncSession) -> tuple[int, str]:
        number = await find_user(session, written=user)
        return number, await rename_user(session, user_id=number, name=name)

    number, kept = in_session(act, commits=True)
    print_line(f"User {number} is {escape(plain(kept))}.")


@app.command()
def password(
    user: Annotated[str, Argument(metavar="USER", help="Number or name.")],
    role: Annotated[
        Role, Option(help="A reader looks; an editor changes and spends.")
    ] = Role.EDITOR,
    from_stdin: Annotated[
        bool, Option("--stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Let a user sign in to the gallery with a password; ends their sessions."""
    given = sys.stdin.readline().rstrip("\n") if from_stdin else _ask_password()

    async def act(session: AsyncSession) -> int:
        number = await find_user(session, written=user)
        await save_password(session, user_id=number, password=given, role=role)
        return number

    number = in_session(act, commits=True)
    print_line(f"User {number} signs in with this password, as {role.value}.")


@app.command()
def lock(user: Annotated[str, Argument(metavar="USER", help="Number or name.")]) -> None:
    """Let a user sign in to the gallery no more; ends their sessions, and keeps what is theirs.

    A new password lets them sign in again.
    """

    async def act(session: AsyncSession) -> tuple[int, bool]:
        number = await find_user(session, written=user)
        return number, await lock_account(session, user_id=number)

    number, had_one = in_session(act, commits=True)
    print_line(f"User {number} {'can no more' if had_one else 'could not'} sign in.")
    print_line(f"With a new password they can (again): adspark users password {number}")


def _ask_password() -> str:
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return given


def _print(rows: Sequence[UserRow]) -> None:
    cells = [
        {
            "number": row.user_id,
            "name": None if row.name is None else plain(row.name),
            "signs in": row.sign_in.value if row.role is None else f"as {row.role.value}",
            "watches": row.watches,
            "boards": row.boards,
            "tags": row.tags,
            "notes": row.notes,
            "variants": row.variants,
        }
        for row in rows
    ]
    out.print(table("Users", cells, wraps="name"))
