"""The option `--user` of every command: a number, or a name of `adspark users list`."""

from typing import Any

from typer import BadParameter, Option

from adspark.errors import InvalidQueryError
from adspark.users.store import find_user, parse_number
from deployments.cli.database import in_session
from deployments.cli.ranges import IDS


def user_option(*names: str, help: str) -> Any:  # noqa: A002, ANN401
    """An option for a user, under these names or its parameter's; the command gets the number."""
    return Option(
        *names,
        min=IDS.least,
        max=IDS.most,
        parser=resolve_user,
        metavar="USER",
        help=f"{help} Number or name.",
    )


def resolve_user(written: object) -> int:
    """The number of the user that is written; the database is read for names only.

    Raises:
        BadParameter: it is a number that no user can have.
        InvalidQueryError: nobody has this name.
    """
    try:
        number = parse_number(str(written))
    except InvalidQueryError as error:
        raise BadParameter(str(error).partition(": ")[2]) from None
    if number is not None:
        return number
    return in_session(lambda session: find_user(session, written=str(written)))
