"""Boards on the terminal: the list, and the ads on one."""

from collections.abc import Sequence

from rich.markup import escape

from adspark.creatives.boards import BoardAd, BoardRow
from adspark.models import Board
from adspark.text.counts import counted
from adspark.text.terminal import plain
from adspark.users.remedies import for_user
from deployments.terminal.output import out, print_line
from deployments.terminal.tables import age, moment, table


def print_boards(rows: Sequence[BoardRow], user: int) -> None:
    """The list of a user's boards, by name."""
    if not rows:
        make = f"make one with: adspark board create NAME{for_user(user)}"
        print_line(f"User {user} has no board; {make}")
        return
    cells = [
        {"name": plain(row.name), "ads": row.ads, "created": moment(row.created_at)} for row in rows
    ]
    out.print(table("Boards", cells, wraps="name"))


def print_board(board: Board, ads: Sequence[BoardAd]) -> None:
    """One board and its ads."""
    name = escape(plain(board.name))
    made = f"user {board.user_id}, since {moment(board.created_at)}, {counted(len(ads), 'ad')}"
    print_line(f"[bold]{name}[/] ({made})")
    if ads:
        out.print(table("Ads", [_ad(one) for one in ads]))
    else:
        print_line(f"It is empty; put ads on it with: adspark board add{for_user(board.user_id)}")


def _ad(ad: BoardAd) -> dict[str, object]:
    cells = ad.cells() | {"advertiser": plain(ad.advertiser)}
    shown = ("ad", "advertiser", "format", "last shown")
    return {**{name: cells[name] for name in shown}, "added": age(ad.added_at)}
