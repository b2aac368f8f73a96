"""Two watches that are the same to a person: every way of saving warns, and none refuses."""

from pathlib import Path
from typing import Any

import pytest

from adspark.db.engine import Database
from adspark.watches.definition import WatchFields
from adspark.watches.store import create_or_change_watch
from tests.support.watch_commands import definitions, run, told

SAME_SEARCH = "its search is the same as that of watch 1 ('shoes')"


@pytest.fixture(autouse=True)
def shoes(configured_database: str) -> None:
    told("create", "shoes", "--text=example.com", "--region=US")


@pytest.mark.parametrize("name", ["Shoes", "SHOES", "sho es", "sho\ufe0fes", "\uff53hoes"])
def test_a_name_that_looks_the_same_is_warned_of(name: str) -> None:
    said = told("create", name, "--text=other.com")
    assert f"Warning: name: watch 1 is called 'shoes', which differs from {name!r} only in" in said
    assert "Created watch 2" in said


def test_the_same_search_is_warned_of() -> None:
    said = told("create", "boots", "--text=https://EXAMPLE.com/", "--region=united states")
    assert SAME_SEARCH in said
    assert "Created watch 2" in said
    assert "same as" not in told("create", "boots in Germany", "--text=example.com", "--region=DE")


def test_the_order_of_advertisers_makes_no_other_search() -> None:
    one, two = f"AR{1:020d}", f"AR{2:020d}"
    told("create", "both", one, two)
    assert "same as that of watch 2 ('both')" in told("create", "again", two, one)


def test_what_is_invisible_around_a_name_is_not_kept_so_it_is_the_same_name() -> None:
    result = run("create", "\u200b shoes \ufeff", "--text=other.com")
    assert "watch 1 is called 'shoes' already" in str(result.exception)
    assert "name: is empty" in str(run("create", "\u200b", "--text=other.com").exception)


def test_another_users_watches_are_nobodys_business() -> None:
    assert "Warning" not in told("create", "Shoes", "--text=example.com", "--region=US", "--user=2")


def test_a_change_is_warned_of_too() -> None:
    told("create", "boots", "--text=other.com")
    assert "watch 1 is called 'shoes'" in told("change", "boots", "--name=Shoes")
    assert SAME_SEARCH in told("change", "2", "--text=example.com", "--region=US")


def test_an_import_warns_of_each_pair_once(tmp_path: Path) -> None:
    file = tmp_path / "watches.csv"
    file.write_text("name,text,region\nSHOES,example.com,US\nboots,boots.com,\nBoots,other.com,\n")
    tried, kept = told("import", str(file), "--dry-run"), told("import", str(file))
    assert "adspark watch" not in tried  # none of these has a number yet
    assert tried.count("another watch is called") == 1
    assert kept.count("keep one of them, with: adspark watch delete") == 1
    for said in (tried, kept):
        assert said.count("which differs from") == 2
        assert said.count("is the same as that of") == 1
        assert "Warning: watch 'SHOES': its search is the same as that of watch 1" in said
    assert len(definitions()) == 4


def test_a_file_with_invisible_characters_names_the_row_and_the_field(tmp_path: Path) -> None:
    file = tmp_path / "watches.csv"
    file.write_text("name,text\n\u200b,example.com\u200b\nA,example.com\n", encoding="utf-8")
    assert "row 1 (line 2)" in (message := str(run("import", str(file)).exception))
    assert "name: is empty; name the watch." in message
    file.write_text("name,text\nB\u200b,example.com\u200b\n", encoding="utf-8")
    told("import", str(file))
    (stored,) = [one for one in definitions() if one["name"] == "B"]
    assert stored["text"] == "example.com"


async def save(database: Database, **changes: Any) -> list[str]:  # noqa: ANN401
    """As the form of the UI does; returns the warnings."""
    words: WatchFields = changes  # type: ignore[assignment]
    async with database.session() as session:
        _, _, warnings = await create_or_change_watch(session, changes=words)
        await session.commit()
    return warnings


async def test_the_form_of_the_ui_warns(database: Database) -> None:
    name, search = await save(database, name="Shoes", text="example.com", region="US")
    assert "is called 'shoes', which differs from 'Shoes'" in name
    assert "is the same as that of watch" in search
    assert await save(database, name="boots", text="other.com") == []


def test_who_was_warned_is_not_warned_again_until_name_or_search_changes(tmp_path: Path) -> None:
    said = told("create", "Shoes", "--text=example.com", "--region=US")
    assert "rename it with: adspark watch change 2 --name NAME" in said
    assert "keep one of them, with: adspark watch delete 2" in said
    for change in ("--max-pages=3", "--budget=10", "--name=Shoes", "--region=us"):
        assert "Warning" not in told("change", "2", change)
    assert "its search is the same" not in told("change", "2", "--name=SHOES")[-60:]
    assert "which differs from" in told("change", "2", "--name=shOes")
    file = tmp_path / "watches.csv"
    told("export", str(file))
    assert "Warning" not in told("import", str(file))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("w.csv", "", "w.csv: is empty; write a line of headings (name, user_id"),
        ("w.csv", "\ufeff\r\n;;\r\n", "w.csv: is empty; write a line of headings"),
        ("w.yaml", "# nothing\n", "w.yaml: is empty; write the watches as a list below watches:"),
    ],
)
def test_an_import_of_an_empty_file_says_so(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    assert message in str(run("import", str(tmp_path / name)).exception)


@pytest.mark.parametrize(("name", "content"), [("w.csv", "Name;Text\n"), ("w.yaml", "watches: []")])
def test_an_import_without_any_watch_says_so(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert told("import", str(tmp_path / name)).endswith(
        f"{name} holds no watch; nothing to import."
    )
