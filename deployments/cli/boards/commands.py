"""`adspark board`: collect stored ads under a name; what is on a board stays at clean-up.

They are those of the running stack, else of the configured database. Prefect is not needed here.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument

from adspark.creatives.boards import (
    BoardAd,
    add_ads,
    create_board,
    delete_board,
    find_board,
    list_boards,
    read_ads,
    remove_ads,
)
from adspark.models import Board
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.validation.stored import clean_ad_id
from deployments.cli.arguments import check_name_first
from deployments.cli.boards.documents import (
    BoardChanged,
    BoardCreated,
    BoardDeleted,
    BoardList,
    BoardReport,
)
from deployments.cli.boards.tables import print_board, print_boards
from deployments.cli.database import in_session
from deployments.cli.options import JsonOption, YesOption
from deployments.cli.users.option import user_option
from deployments.terminal.output import print_json, print_line
from deployments.terminal.questions import confirm

Name = Annotated[str, Argument(help="The board's name, as in adspark board list.")]
Ads = Annotated[
    list[str], Argument(metavar="AD", parser=clean_ad_id, help="CR and 20 digits each.")
]
UserOption = Annotated[int, user_option(help="Whose board it is.")]


app = typer.Typer()


@app.command()
def create(
    name: Annotated[str, Argument(help="The new board's name.")],
    user: UserOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Make an empty board."""
    kept = in_session(
        lambda session: create_board(session, user_id=user, name=name),
        commits=True,
        acts_for=[user],
    )
    if as_json:
        print_json(BoardCreated(name=kept, user_id=user))
    else:
        print_line(f"Created board {_shown(kept)}.")


@app.command("list")
def list_all(user: UserOption = 1, as_json: JsonOption = False) -> None:
    """List a user's boards with the number of their ads."""
    rows = in_session(lambda session: list_boards(session, user_id=user))
    print_json(BoardList(boards=rows)) if as_json else print_boards(rows, user)


@app.command()
def add(name: Name, ads: Ads, user: UserOption = 1, as_json: JsonOption = False) -> None:
    """Put stored ads on a board: all of them or, at a mistake, none."""
    done = _change(user, name, ads, add_ads)
    print_json(done) if as_json else _say("Added {ads} to", done, "On it already")


@app.command()
def remove(name: Name, ads: Ads, user: UserOption = 1, as_json: JsonOption = False) -> None:
    """Take ads off a board; they stay stored as long as others are."""
    done = _change(user, name, ads, remove_ads)
    print_json(done) if as_json else _say("Removed {ads} from", done, "Not on it")


@app.command()
def show(name: Name, user: UserOption = 1, as_json: JsonOption = False) -> None:
    """Show the ads on a board, in its order."""
    board, ads = in_session(lambda session: _read(session, user, name))
    print_json(BoardReport.of(board, ads=ads)) if as_json else print_board(board, ads)


@app.command()
def delete(
    name: Name, yes: YesOption = False, user: UserOption = 1, as_json: JsonOption = False
) -> None:
    """Delete a board; its ads stay stored as long as others are."""
    board, ads = in_session(lambda session: _read(session, user, name))
    what = f"board {plain(board.name)} with {counted(len(ads), 'ad')}"
    if not yes:
        confirm(f"Delete {what}? Ads on no other board go at clean-up as others do.")
    in_session(lambda session: delete_board(session, board_id=board.id), commits=True)
    if as_json:
        print_json(BoardDeleted(board_id=board.id, name=board.name, ads=len(ads)))
    else:
        print_line(f"Deleted {escape(what)}.")


async def _read(session: AsyncSession, user: int, name: str) -> tuple[Board, list[BoardAd]]:
    board = await find_board(session, user_id=user, name=name)
    return board, await read_ads(session, board_id=board.id)


def _change(
    user: int, name: str, ads: Sequence[str], change: Callable[..., Awaitable[list[str]]]
) -> BoardChanged:
    """`add_ads` or `remove_ads`, and what that came to."""
    check_name_first("board", name, ads)

    async def act(session: AsyncSession) -> tuple[Board, list[str]]:
        board = await find_board(session, user_id=user, name=name)
        return board, await change(session, board_id=board.id, ids=ads)

    board, changed = in_session(act, commits=True)
    others = [ad for ad in dict.fromkeys(ads) if ad not in set(changed)]
    return BoardChanged(board_id=board.id, name=board.name, changed=changed, unchanged=others)


def _say(what: str, done: BoardChanged, otherwise: str) -> None:
    """What became of the board, and which of the ads that were named it left alone."""
    done_to = what.format(ads=counted(len(done.changed), "ad"))
    print_line(f"{done_to} board {_shown(done.name)}.")
    if done.unchanged:
        print_line(f"{otherwise}: {escape(plain(', '.join(done.unchanged)))}")


def _shown(name: str) -> str:
    return escape(plain(name))
