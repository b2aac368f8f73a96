"""Whatever text came from outside, no command hands a terminal what it would obey or hide."""

import asyncio
import io
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.markup import escape
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import CliRunner

from adspark.creatives import boards
from adspark.db.engine import Database
from adspark.text.terminal import SafeConsole, plain
from deployments.cli.main import app
from deployments.terminal import output
from tests.support.variants_at_hand import AD, ask, fail, finish, in_session, store_ads
from tests.support.watching import Place

# Clear the screen, a link, the clipboard, C1's short forms, backspaces, a turned file name, what
# has no width, another line, a tag, Rich's own markup.
HOSTILE = (
    "Aa\x1b[2J\x1b]8;;https://evil.example\x07link\x1b]52;c;ZXZpbA==\x07\x9b31m\x90q\x9c\x08\r"
    "\u202eexe.gpj\u2066\u200b\u2060\ufeff\u2028x\U000e0041[bold red]b[/]"
)
OBEYED = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0041]"
)
# Every text that came from outside, or that a person may have typed by another way in.
FREE_TEXTS = {
    "advertiser": ("name",),
    "creative": ("image_url", "video_link", "target_domain", "details_link", "budget_min"),
    "watch": ("name", "text", "problem"),
    "fetch": ("error", "next_page_token"),
    "message": ("subject", "body", "recipient", "error"),
    "ad_variant": ("prompt", "title", "description", "problem", "error", "receipt_run_id"),
    "creative_detail": ("headline", "snippet", "landing_url", "funded_by", "error"),
    "rejected_row": ("reason",),
    "variant_feedback": ("comment",),
}
COMMANDS = [
    "watch list",
    "watch show 1",
    "watch pause 1",
    "watch resume 1",
    "watch export {folder}/watches.yaml",
    "budget",
    "board list",
    "board show one",
    "variant list",
    "variant show 1",
    "variant show 2",
    "variant failures",
    "watch delete 1 --yes",
]


@pytest.fixture
def hostile_rows(configured_database: str, sandbox_url: str) -> None:
    """A database in which every free text is hostile."""

    async def watch() -> None:
        async with Database(configured_database) as database:
            place = Place(database, sandbox_url)
            await place.check(await place.add(monthly_budget=1))
            await place.change("UPDATE creative_event SET kind = 'new'")

    async def store(session: AsyncSession) -> None:
        await store_ads(session)
        await boards.create_board(session, user_id=1, name="one")
        await boards.create_board(session, user_id=1, name="two")
        await boards.add_ads(session, board_id=1, ids=[AD])
        await finish(session, await ask(session))
        await fail(session, await ask(session), ValueError(HOSTILE))
        hostile = {"hostile": HOSTILE}
        await session.execute(text("UPDATE board SET name = :hostile WHERE id = 2"), hostile)
        for table, columns in FREE_TEXTS.items():
            changes = ", ".join(f"{column} = :hostile" for column in columns)
            await session.execute(text(f'UPDATE "{table}" SET {changes}'), hostile)

    asyncio.run(watch())
    in_session(configured_database, store)


@pytest.mark.usefixtures("hostile_rows")
def test_no_command_prints_what_a_terminal_obeys_or_hides(tmp_path: Path) -> None:
    printed = {}
    for command in COMMANDS:
        arguments = command.format(folder=tmp_path).split()
        result = CliRunner(env={"COLUMNS": "80"}).invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), command
        printed[command] = result.output
    assert {
        name: OBEYED.findall(told) for name, told in printed.items() if OBEYED.search(told)
    } == {}
    assert "exe.gpj" in printed["watch list"] + printed["variant show 1"]


@pytest.mark.usefixtures("hostile_rows")
@pytest.mark.parametrize("command", ["watch list", "watch show 1", "budget", "variant show 1"])
def test_programs_read_the_same_text_and_terminals_obey_none(command: str) -> None:
    result = CliRunner().invoke(app, [*command.split(), "--json"])
    assert OBEYED.search(result.stdout) is None
    assert HOSTILE in _texts(json.loads(result.stdout))


def test_errors_and_warnings_are_cleaned(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_error(HOSTILE)
    assert OBEYED.search(capsys.readouterr().err) is None


@given(st.text())
def test_nothing_unprintable_passes_a_console_whatever_it_prints(outside: str) -> None:
    for renderable in (escape(outside), _table(outside)):
        console = SafeConsole(file=io.StringIO(), width=80, force_terminal=False)
        console.print(renderable)
        printed = console.file.getvalue()  # type: ignore[attr-defined]  # it is a StringIO
        assert OBEYED.search(printed) is None


@given(st.text())
def test_plain_text_stays_as_it_is(outside: str) -> None:
    cleaned = plain(outside)
    assert OBEYED.search(cleaned) is None
    assert plain(cleaned) == cleaned
    if not OBEYED.search(outside) and outside.isascii():
        assert cleaned == outside.removesuffix("\n")


def _table(cell: str) -> Table:
    made = Table("heading")
    made.add_row(escape(cell))
    return made


def _texts(document: object) -> list[str]:
    """All texts of a JSON document."""
    if isinstance(document, str):
        return [document]
    if isinstance(document, dict):
        return _texts(list(document.values()))
    return [one for part in document for one in _texts(part)] if isinstance(document, list) else []
