"""`adspark board`: what a person types collects stored ads; mistakes write nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from adspark.errors import InvalidQueryError
from deployments.cli import main as cli
from tests.support.commanding import Command
from tests.support.variants_at_hand import AD, OTHER, THIRD, in_session

pytestmark = pytest.mark.usefixtures("three_stored_ads")
MAKE = "make it with: adspark board create; all boards: adspark board list"
command = Command("board")
run, told, given = command.run, command.told, command.given


def counts(*arguments: str) -> dict[str, int]:
    """The boards with the number of their ads."""
    return {row["name"]: row["ads"] for row in given("list", *arguments)["boards"]}


def on(name: str, *arguments: str) -> list[str]:
    """The ads on a board."""
    return [ad["ad_creative_id"] for ad in given("show", name, *arguments)["ads"]]


def test_a_board_is_made_filled_emptied_and_deleted() -> None:
    assert told("create", " summer [b] ") == "Created board summer [b]."
    assert told("show", "summer [b]").endswith("It is empty; put ads on it with: adspark board add")
    told("create", "theirs", "--user", "2")
    theirs = told("show", "theirs", "--user", "2")
    assert theirs.endswith("It is empty; put ads on it with: adspark board add --user 2")
    assert told("add", "summer [b]", AD, OTHER) == "Added 2 ads to board summer [b]."
    said = told("add", "summer [b]", OTHER, THIRD, THIRD)
    assert said == f"Added 1 ad to board summer [b]. On it already: {OTHER}"
    assert on("summer [b]") == [THIRD, AD, OTHER]  # the latest added first
    said = told("remove", "summer [b]", AD, "CR9")
    assert said == "Removed 1 ad from board summer [b]. Not on it: CR9"
    assert on("summer [b]") == [THIRD, OTHER]
    refused = run("delete", "summer [b]", typed="n\n")
    assert refused.stderr.startswith("Delete board summer [b] with 2 ads? Ads on no other board")
    assert (refused.exit_code, counts()) == (1, {"summer [b]": 2})
    said = told("delete", "summer [b]", typed="y\n")
    assert said.endswith("Deleted board summer [b] with 2 ads.")
    assert counts() == {}
    assert told("create", "summer [b]") == "Created board summer [b]."
    assert told("delete", "summer [b]", "--yes") == "Deleted board summer [b] with 0 ads."


def test_a_name_is_its_users_own() -> None:
    for user in ("1", "2"):
        told("create", "summer", "--user", user)
    told("create", "Autumn", "--user", "2")
    told("add", "summer", AD, "--user", "2")
    assert (counts(), counts("--user", "2")) == ({"summer": 0}, {"Autumn": 0, "summer": 1})
    told("delete", "summer", "--user", "2", "--yes")
    assert (counts(), counts("--user", "2")) == ({"summer": 0}, {"Autumn": 0})


def test_a_board_is_found_in_any_case_and_no_other_looks_the_same() -> None:
    told("create", "Ideas")
    told("add", "ideas", AD)
    assert on("IDEAS") == [AD]
    with pytest.raises(InvalidQueryError, match="user 1 has a board 'Ideas' already"):
        told("create", "id\ufe0feas")
    with pytest.raises(InvalidQueryError, match="name: holds invisible characters"):
        told("create", "id\u200beas")
    assert counts() == {"Ideas": 1}


def test_a_program_reads_all_about_an_ad() -> None:
    told("create", "summer")
    told("add", "summer", AD)
    shown = given("show", "summer")
    (ad,) = shown.pop("ads")
    assert (shown["id"], shown["user_id"], shown["name"]) == (1, 1, "summer")
    assert ad.pop("added_at") > shown["created_at"]
    assert ad == {
        "ad_creative_id": AD,
        "advertiser": "New Balance Athletic Shoe, Inc.",
        "format": "text",
        "size": "380 × 199",
        "target_domain": None,
        "first_shown": "2026-05-28T20:26:40Z",
        "last_shown": "2026-08-06T07:06:40Z",
        "days_shown": 10,
        "link": "https://adstransparency.google.com/advertiser/AR04323445746671026177",
        "note": None,
    }


def test_tables_fit_on_a_terminal_and_give_it_no_orders(database_url: str) -> None:
    async def act(session: AsyncSession) -> None:
        await session.execute(text("UPDATE advertiser SET name = :name"), {"name": "A\x1b[2Jb [c]"})

    in_session(database_url, act)
    assert told("list") == "User 1 has no board; make one with: adspark board create NAME"
    assert told("list", "--user=2").endswith("adspark board create NAME --user 2")
    told("create", "summer " * 14)
    told("add", "summer " * 14, AD, OTHER)
    shown = run("show", "summer " * 14).stdout.splitlines()
    table = [*run("list").stdout.splitlines(), *shown[1:]]
    assert max(map(len, table)) <= 80
    assert "\x1b" not in "".join(shown)
    assert f"{AD} A [2Jb [c] text 2026-08-06 0 min" in " ".join(" ".join(table).split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("create", " "), "name: is empty; name the board."),
        (("create", "x" * 101), "name: has 101 characters; shorten it to 100."),
        (("create", "a\x1bb"), "name: holds a control character ('\\x1b'); write it on one line "
                                "without."),
        (("create", "summer"), "name: user 1 has a board 'summer' already; choose another name, or "
                               "put ads on that one with: adspark board add"),
        (("add", "summer", AD, f"CR{8:020d}"), f"ads: no ad CR{8:020d} is stored; fetch its "
                                              "advertiser's ads first, with: adspark fetch AR…"),
        (("add", "sommer", AD), "name: user 1 has no board 'sommer'; did you mean 'summer'? "
                                f"Or {MAKE}"),
        (("remove", "sommer", AD), "name: user 1 has no board 'sommer'; did you mean 'summer'? "
                                   f"Or {MAKE}"),
        (("show", "summer", "--user", "2"),
         "name: user 2 has no board 'summer'; make it with: adspark board create --user 2; all "
         "boards: adspark board list --user 2"),
        (("show", "nosuch"), "name: user 1 has no board 'nosuch'; name one of 'autumn', 'summer', "
                             f"or {MAKE}"),
        (("add", AD, "summer"), f"board: {AD} is an ad, and 'summer' is none; write "
                                 "the board first."),
        (("remove", AD, "summer"), f"board: {AD} is an ad, and 'summer' is none; write "
                                 "the board first."),
        (("delete", "sommer", "-y"), "name: user 1 has no board 'sommer'; did you mean 'summer'? "
                                     f"Or {MAKE}"),
        (("create", "Summer"), "name: user 1 has a board 'summer' already; choose another name, or "
                               "put ads on that one with: adspark board add"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_mistake_is_told_and_writes_nothing(arguments: tuple[str, ...], message: str) -> None:
    for name in ("summer", "autumn"):
        told("create", name)
    with pytest.raises(InvalidQueryError) as raised:
        told(*arguments)
    assert str(raised.value) == message
    assert counts() == {"autumn": 0, "summer": 0}


def test_of_many_boards_some_are_named() -> None:
    for number in range(11):
        told("create", f"b{number:02d}")
    with pytest.raises(InvalidQueryError, match="'b08', 'b09', …, or make it"):
        told("show", "zzzz")


@pytest.mark.parametrize(
    "arguments", [("add", "summer"), ("create",), ("list", "--user", "0")], ids=" ".join
)
def test_what_is_no_call_is_told_with_the_usage(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert f"adspark board {arguments[0]} -h" in result.stderr


def test_an_error_is_one_line_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["adspark", "board", "show", "summer"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    error = f"Error: name: user 1 has no board 'summer'; {MAKE}\n"
    assert (ended.value.code, said.out, said.err) == (2, "", error)


def test_prefect_is_not_needed() -> None:
    script = (
        "import sys; from typer.testing import CliRunner; from deployments.cli.main import app\n"
        "for call in (['create', 'b'], ['add', 'b', sys.argv[1]], ['list'], ['show', 'b']):\n"
        "    CliRunner().invoke(app, ['board', *call], catch_exceptions=False)\n"
        "sys.exit('prefect' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, AD], cwd=Path(__file__).parents[3], check=False
    )
    assert done.returncode == 0
    assert on("b") == [AD]
