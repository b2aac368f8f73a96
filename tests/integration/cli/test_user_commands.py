"""`adspark users`, and a name in the place of a number in every command."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer

from adspark.errors import ConfigurationError, InvalidQueryError
from deployments.cli.commands import COMMANDS
from tests.support.commanding import Command
from tests.support.library import ad

users, watches, ads = Command("users"), Command("watch"), Command("ads")


@pytest.mark.usefixtures("three_stored_ads")
def test_a_name_is_given_and_taken_in_the_place_of_a_number() -> None:
    assert users.told("add", "ana", "--number", "1") == "User 1 is ana."
    assert users.told("add", "Ben [b]") == "User 2 is Ben [b]."
    watches.told("create", "shoes", "--text", "a.example", "--user", "ben [B]")
    assert [row["id"] for row in watches.given("list", "--user", "2")["watches"]] == [1]
    assert watches.given("list", "--user", "ANA")["watches"] == []
    Command("board").told("create", "summer", "--user", "Ben [b]")
    assert Command("variant").given("list", "--user", "ana")["variants"] == []
    ads.told("tag", "best", ad(1), "--user", "Ben [b]", "--shared")
    assert "best" in ads.told("show", ad(1))
    assert "best 1 Ben [b]" in ads.told("tag")
    assert ads.told("tag", "best", "--own", "--user", "2") == "The tag best: only its user sees it."
    assert "best" not in ads.told("show", ad(1))
    assert users.told("rename", "ben [b]", "Benno") == "User 2 is Benno."
    listed = {one["user_id"]: one for one in users.given("list")["users"]}
    benno = {name: listed[2][name] for name in ("name", "watches", "boards", "tags", "variants")}
    assert benno == {"name": "Benno", "watches": 1, "boards": 1, "tags": 1, "variants": 0}
    assert "2 Benno no password 1 1 1" in users.told("list")
    with pytest.raises(InvalidQueryError, match="user: there is no user 'Bennno'; did you mean"):
        ads.told("search", "--user", "Bennno")
    assert "not 0" in ads.run("search", "--user", "0").output


NEW = (
    "Warning: User 99 is new here: nothing of theirs was stored before; those there are: adspark "
    "users list"
)


@pytest.mark.usefixtures("three_stored_ads")
@pytest.mark.parametrize(
    "arguments",
    [
        ("board", "create", "summer", "--user=99"),
        ("watch", "create", "shoes", "--text=a.example", "--user=99"),
        ("watch", "import", "w.csv"),
        ("ads", "tag", "best", ad(1), "--user=99"),
        ("ads", "note", ad(1), "good", "--user=99"),
        ("ads", "title", ad(1), "good", "--user=99"),
        ("users", "budget", "99", "5"),
        ("users", "weigh", "99", "2"),
        ("rules", "set", "r.yaml", "--user=99"),
        ("variant", "request", ad(1), "--prompt=x", "--user=99"),
        ("batch", "create", ad(1), "--prompt=x", "--user=99", "--yes"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_a_command_for_a_number_of_which_nothing_is_stored_warns_once(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.csv").write_text("name,text,user_id\nshoes,a.example,99\nboots,b.example,1\n")
    Path("r.yaml").write_text("banned_words: [cheap]\n")
    group, *rest = arguments
    for_user_1 = Command("board").run("create", "mine")
    first, again = Command(group).run(*rest), Command(group).run(*rest)
    assert for_user_1.stderr == ""
    assert " ".join(first.stderr.split()).count(NEW) == 1
    assert "is new here" not in again.stderr
    assert (first.exit_code, "is new here" in first.stdout) == (0, False)


@pytest.mark.usefixtures("configured_database")
def test_a_look_at_what_a_new_number_has_warns_of_nothing() -> None:
    assert users.run("budget", "99").stderr == ""
    assert watches.run("list", "--user", "99").stderr == ""
    assert [one["user_id"] for one in users.given("list")["users"]] == [1]


@pytest.mark.usefixtures("configured_database")
def test_the_list_says_who_signs_in_and_how_a_lock_is_undone() -> None:
    for name in ("ana", "ben", "cleo"):
        users.told("add", name)
    for name, role in (("ana", "editor"), ("ben", "reader"), ("cleo", "editor")):
        users.told("password", name, "--role", role, "--stdin", typed="correct horse battery\n")
    number = users.given("list")["users"][-1]["user_id"]
    told = users.told("lock", "cleo")
    listed = users.told("list")

    assert (
        f"can no more sign in. With a new password they can (again): {password_of(number)}" in told
    )
    assert [f"{name} {said}" in listed for name, said in SIGNS_IN] == [True, True, True]
    assert "User 1 has no password that lets them sign in; nothing to lock." in (
        users.told("lock", "1")
    )
    states = [(one["sign_in"], one["role"]) for one in users.given("list")["users"]]
    expected = [("no password", None), ("active", "editor"), ("active", "reader"), ("locked", None)]
    assert sorted(states, key=str) == sorted(expected, key=str)
    users.told("password", "cleo", "--stdin", typed="correct horse battery\n")
    roles = [one["role"] for one in users.given("list")["users"] if one["name"]]
    assert roles == ["editor", "reader", "editor"]


@pytest.mark.usefixtures("configured_database")
def test_a_name_of_an_earlier_version_with_a_colon_gets_no_password_before_another_name(
    database_url: str,
) -> None:
    users.told("add", "sales")
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("UPDATE app_user SET name = 'sales: EU', name_key = 'sales:eu'")
    with pytest.raises(
        InvalidQueryError,
        match=r"user: user 2 has a name with a colon, with which programs cannot sign in; "
        r"give another one with: adspark users rename 2 NAME",
    ):
        users.told("password", "2", "--stdin", typed="correct horse battery\n")
    users.told("rename", "2", "sales EU")
    users.told("password", "2", "--stdin", typed="correct horse battery\n")


@pytest.mark.usefixtures("configured_database")
def test_a_name_that_looks_like_another_is_warned_of() -> None:
    like = "B\u0435a"  # with the Cyrillic letter
    assert users.run("add", "Bea").stderr == ""
    said = " ".join(users.run("add", like).stderr.split())
    assert said == (
        f"Warning: name: user 2 is called 'Bea', which looks the same as '{like}' but has other "
        "letters; rename one of them with: adspark users rename 3 NAME"
    )
    assert users.run("rename", "3", "Ben").stderr == ""


@pytest.mark.usefixtures("configured_database")
def test_where_nobody_can_type_a_password_the_option_is_named() -> None:
    users.told("add", "ana")
    with pytest.raises(
        ConfigurationError, match="--stdin is missing, and nobody is here to ask: Password"
    ):
        users.told("password", "ana")


SIGNS_IN = [("ana", "as editor"), ("ben", "as reader"), ("cleo", "locked")]


def password_of(number: int) -> str:
    return f"adspark users password {number}"


def commands(group: Any) -> Iterator[Any]:  # noqa: ANN401  (typer's commands have no public type)
    """All commands below a group."""
    for one in getattr(group, "commands", {}).values():
        yield from commands(one)
    yield group


def test_every_command_takes_the_user_through_the_same_option() -> None:
    found = [
        option
        for listed in COMMANDS
        for command in commands(typer.main.get_command(listed.typer()))
        for option in command.params
        if "--user" in option.opts
    ]
    assert len(found) > 20
    assert {option.metavar for option in found} == {"USER"}
