"""`adspark rules`: a file is checked, set and shown; what is wrong in it is told by line."""

from pathlib import Path

import pytest

from adspark.errors import ConfigurationError
from tests.support.commanding import Command

pytestmark = pytest.mark.usefixtures("configured_database")
rules, users = Command("rules"), Command("users")


def written(folder: Path, text: str, name: str = "brand.yaml") -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


def test_a_file_is_set_shown_and_kept_in_versions(tmp_path: Path) -> None:
    users.told("add", "ana", "--number", "4")
    assert rules.told("show").startswith("There are no brand rules; set some with")
    assert rules.told("history").startswith("There are no brand rules; set some with")
    assert rules.given("show")["rules"] is None
    first = written(tmp_path, "banned_words: [free, '[b]']\ndisclaimers: Terms apply.\n")
    assert rules.told("check", first).endswith("brand.yaml: 2 rules, no mistakes.")
    assert rules.given("check", first)["rules"]["banned_words"] == ["free", "[b]"]
    assert rules.told("history").startswith("There are")  # nothing was stored
    assert rules.told("set", first) == "Workspace version 1: 2 rules, in force from now on."
    again = "Workspace version 1: 2 rules, the same text, in force already."
    assert rules.told("set", first) == again
    own = written(tmp_path, "banned_words: bold\n")
    assert rules.told("set", own, "--user", "ana").startswith("User 4 (ana) version 1: 1 rule, in")
    assert rules.given("set", own, "--user", "ana") == {
        "user_id": 4, "version": 1, "changed": False,
    }  # fmt: skip
    assert "banned_words: [free, '[b]']" in rules.told("show")
    said = rules.told("show", "--user", "ana")
    assert "In force together" in said
    assert "Never write (banned words): free, [b], bold" in said
    assert rules.given("show", "--user", "ana")["rules"]["banned_words"] == ["free", "[b]", "bold"]
    rules.told("set", written(tmp_path, "{}"))
    listed = rules.given("history", "--user", "ana")["versions"]
    assert [(one["user_id"], one["version"]) for one in listed] == [(None, 2), (4, 1), (None, 1)]
    assert "User 4 (ana) 1" in rules.told("history", "--user", "ana")
    assert "ana" not in rules.told("history")


@pytest.mark.parametrize("command", ["check", "set"])
def test_a_file_with_mistakes_is_refused_line_by_line(tmp_path: Path, command: str) -> None:
    file = written(tmp_path, "banned_words: [free]\nlanguages: [english]\n\ntoo_close: 80\n")
    with pytest.raises(ConfigurationError) as caught:
        rules.told(command, file)
    lines = str(caught.value).splitlines()
    assert [line.partition(", line ")[2][:1] for line in lines] == ["2", "4"]
    assert "write its two letters, as en or de" in lines[0]
    assert rules.given("history")["versions"] == []
