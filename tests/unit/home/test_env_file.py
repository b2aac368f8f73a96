"""What is written in `.env` is read, or refused with its line; nothing of it is passed over."""

from pathlib import Path

import pytest

from adspark.errors import ConfigurationError
from adspark.home.env_file import read_env_file
from adspark.settings import get_settings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_is_read_with_or_without_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\r\nexport B='zwei Wörter'\r\n# C=3\nD\n", encoding)
    assert read_env_file(file) == {"A": "1", "B": "zwei Wörter", "D": None}
    assert read_env_file(tmp_path / "none") == {}


@pytest.mark.parametrize(
    ("written", "line"),
    [('A=1\nB="hunter2\n', 2), ("A='hunter2\nB=2\n", 1), ("A=1\n\n=hunter2\n", 3)],
)
def test_a_line_that_cannot_be_read_is_named_and_not_shown(
    tmp_path: Path, written: str, line: int, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / ".env"
    file.write_text(written)
    with pytest.raises(ConfigurationError, match=f"line {line}: neither NAME=value") as raised:
        read_env_file(file)
    assert "hunter2" not in str(raised.value)
    assert caplog.messages == []


def test_a_folder_of_that_name_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a file; move it away"):
        read_env_file(tmp_path)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "latin-1"])
def test_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / ".env"
    file.write_text("A=ä\n", encoding)
    with pytest.raises(ConfigurationError, match="is not UTF-8; save it as UTF-8"):
        read_env_file(file)


def test_a_nul_character_and_a_link_that_leads_nowhere_are_told_as_that(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=b\0c\n")
    with pytest.raises(ConfigurationError, match="for it holds NUL characters; save"):
        read_env_file(file)
    file.unlink()
    file.symlink_to("/nowhere/secrets")
    with pytest.raises(ConfigurationError, match="leads to /nowhere/secrets, which is not there"):
        read_env_file(file)


def test_a_wrong_value_names_the_place_in_which_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ADSPARK_KEEP_RUNS_DAYS=abc\n")
    with pytest.raises(ConfigurationError, match=r"is not a number. Correct it in .env\.$"):
        get_settings()
    monkeypatch.setenv("ADSPARK_KEEP_RUNS_DAYS", "abc")
    with pytest.raises(ConfigurationError, match="Correct it in the environment"):
        get_settings()
