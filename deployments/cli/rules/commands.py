"""`adspark rules`: brand rules that variants are checked by, from files that people write.

They are those of the running stack, else of the configured database. Prefect is not needed here.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from sqlalchemy.ext.asyncio import AsyncSession
from typer import Argument, Option

from adspark.rules.definition import Rules
from adspark.rules.files import read_rule_file
from adspark.rules.prompt import write_rules
from adspark.rules.store import StoredRules, list_versions, read_in_force, read_latest, save_rules
from adspark.text.counts import counted
from adspark.text.terminal import plain
from deployments.cli.database import in_session
from deployments.cli.options import JsonOption
from deployments.cli.rules.documents import RulesChecked, RulesHistory, RulesReport, RulesSet
from deployments.cli.users.option import user_option
from deployments.terminal.output import out, print_json, print_line
from deployments.terminal.tables import moment, table

_MOST_SHOWN = 10_000

File = Annotated[Path, Argument(metavar="FILE", help="YAML in UTF-8.")]
UserOption = Annotated[
    int | None, user_option(help="Whose rules; without it the workspace's, which are for all.")
]

app = typer.Typer()


@app.command()
def check(file: File, as_json: JsonOption = False) -> None:
    """Read a file and say what is wrong with it, line by line; nothing is stored."""
    _, rules = read_rule_file(file)
    if as_json:
        print_json(RulesChecked(rules=rules))
        return
    print_line(f"{escape(plain(str(file)))}: {_count(rules)}, no mistakes.")


@app.command("set")
def set_rules(file: File, user: UserOption = None, as_json: JsonOption = False) -> None:
    """Store a file as the next version of a user's rules, or of the workspace's.

    Variants that are finished from now on are checked by it; for one that is finished already:
    adspark variant check ID.
    """
    written, rules = read_rule_file(file)
    stored, is_new = in_session(
        lambda session: save_rules(session, written=written, user_id=user),
        commits=True,
        acts_for=[] if user is None else [user],
    )
    if as_json:
        print_json(RulesSet(user_id=user, version=stored.version, changed=is_new))
        return
    said = "in force from now on" if is_new else "the same text, in force already"
    print_line(f"{_whose(stored)} version {stored.version}: {_count(rules)}, {said}.")


@app.command()
def show(user: UserOption = None, as_json: JsonOption = False) -> None:
    """Show the rules in force for a user's variants, and the files that they are from."""

    async def act(session: AsyncSession) -> tuple[Rules | None, list[StoredRules]]:
        scopes = [None] if user is None else [None, user]
        stored = [await read_latest(session, user_id=one) for one in scopes]
        found = [one for one in stored if one is not None]
        if user is None:
            return (found[0].rules if found else None), found
        in_force = await read_in_force(session, user_id=user)
        return (None if in_force is None else in_force.rules), found

    rules, files = in_session(act)
    if as_json:
        print_json(RulesReport(user_id=user, rules=rules, files=files))
        return
    if not files:
        _print_none(user)
        return
    for one in files:
        out.print(f"[bold]{escape(_whose(one))} version {one.version}[/], {moment(one.created_at)}")
        for line in plain(one.source).rstrip().split("\n"):
            out.print(f"  {line}".rstrip(), markup=False, highlight=False, soft_wrap=True)
    if user is not None and len(files) > 1 and rules is not None:
        out.print("[bold]In force together[/]")
        for line in write_rules(rules).splitlines():
            print_line(f"  {escape(plain(line))}")


@app.command()
def history(
    user: UserOption = None,
    limit: Annotated[int, Option(min=1, max=_MOST_SHOWN, help="How many, latest first.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List the stored versions of the workspace's rules and of a user's, the latest first."""
    found = in_session(lambda session: list_versions(session, user_id=user, most=limit))
    if as_json:
        print_json(RulesHistory(versions=found))
        return
    if not found:
        _print_none(user)
        return
    cells = [
        {
            "whose": _whose(one),
            "version": one.version,
            "set": moment(one.created_at),
            "text": counted(len(one.source.splitlines()), "line"),
        }
        for one in found
    ]
    out.print(table("Brand rules", cells))


def _count(rules: Rules) -> str:
    return counted(len(rules.given), "rule")


def _whose(stored: StoredRules) -> str:
    if stored.user_id is None:
        return "Workspace"
    return f"User {stored.user_id}" + (f" ({plain(stored.user)})" if stored.user else "")


def _print_none(user: int | None) -> None:
    whose, option = ("", "") if user is None else (f" for user {user}", f" --user {user}")
    print_line(f"There are no brand rules{whose}; set some with: adspark rules set FILE{option}")
