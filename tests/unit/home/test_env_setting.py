"""A key is written into `.env`: nothing else in it is lost, and nobody else reads it."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st

from adspark.errors import ConfigurationError
from adspark.home.env_setting import check_env_setting, write_env_setting

NAME, KEY = "ADSPARK_SERPAPI_KEY", "0123456789abcdef"


def values(file: Path) -> dict[str, str | None]:
    return dotenv_values(file, interpolate=False)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, f"{NAME}={KEY}\n"),
        ("", f"{NAME}={KEY}\n"),
        ("A=1", f"A=1\n{NAME}={KEY}\n"),
        ("A=1\r\n", f"A=1\r\n{NAME}={KEY}\r\n"),
        ("# mine\nA='a b'\n\nB=\n", f"# mine\nA='a b'\n\nB=\n{NAME}={KEY}\n"),
        (f"A=1\n{NAME}=\nB=2\n", f"A=1\n{NAME}={KEY}\nB=2\n"),
        (f"export {NAME}='old' # why\nB=2", f"export {NAME}={KEY}\nB=2"),
        (f"{NAME}=a\n{NAME}=b\n", f"{NAME}={KEY}\n{NAME}={KEY}\n"),
        (f'{NAME}="two\nlines"\nB=2\n', f"{NAME}={KEY}\nB=2\n"),
        (f"#{NAME}=no\n", f"#{NAME}=no\n{NAME}={KEY}\n"),
        (f"\ufeff{NAME}=a\r\nB=2\r\n", f"\ufeff{NAME}={KEY}\r\nB=2\r\n"),
        ('A="never closed\nB=2\n', f'A="never closed\nB=2\n{NAME}={KEY}\n'),
        ("not a line of it !\nA=1\n", f"not a line of it !\nA=1\n{NAME}={KEY}\n"),
    ],
)
def test_the_key_has_its_place_and_all_else_stays(
    file: Path, before: str | None, after: str
) -> None:
    if before is not None:
        file.write_bytes(before.encode())
        file.chmod(0o644)
    write_env_setting(file, NAME, KEY)
    assert file.read_bytes().decode() == after
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


_LINES = st.one_of(
    st.from_regex(r"[A-Z_]{1,8}=[^\n\r\x00]{0,20}", fullmatch=True),
    st.from_regex(r"(export )?[A-Z]{1,5}='[^'\\\x00\r]{0,12}'( #.{0,5})?", fullmatch=True),
    st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=25),
    st.just(f"{NAME}=old"),
)


@given(st.lists(_LINES, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_no_content_loses_another_variable(lines: list[str], end: str) -> None:
    with_end = end.join(lines)
    with TemporaryDirectory() as folder:
        file = Path(folder) / ".env"
        file.write_bytes(with_end.encode())
        before = values(file)
        try:
            write_env_setting(file, NAME, KEY)
        except ConfigurationError:
            assert file.read_bytes() == with_end.encode()
        else:
            assert values(file) == before | {NAME: KEY}


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda file: file.symlink_to(file.parent / "other"), "is a link to"),
        (lambda file: file.mkdir(), "is not a file"),
        (lambda file: os.mkfifo(file), "is not a file"),
        (lambda file: file.write_bytes("A=1\n".encode("utf-16")), "is not UTF-8"),
    ],
    ids=["a link", "a folder", "a pipe", "UTF-16"],
)
def test_what_cannot_be_written_without_loss_is_one_clear_line(
    file: Path, make: Callable[[Path], object], told: str
) -> None:
    make(file)
    before = file.read_bytes() if file.is_file() else None
    with pytest.raises(ConfigurationError, match=told) as raised:
        write_env_setting(file, NAME, KEY)
    assert "\n" not in str(raised.value)
    assert KEY not in str(raised.value)
    with pytest.raises(ConfigurationError, match=told):  # before anybody is asked for the key
        check_env_setting(file, NAME)
    assert (file.read_bytes() if file.is_file() else None) == before


def test_what_can_be_written_is_found_out_without_writing(file: Path) -> None:
    check_env_setting(file, NAME)
    assert list(file.parent.iterdir()) == []
    with pytest.raises(ConfigurationError, match="cannot be written: No such file"):
        check_env_setting(file.parent / "nowhere" / ".env", NAME)


@pytest.mark.parametrize("value", ["", "a b", "a'b", "a\nB=2", "$HOME", "${A}", "a#b", "ü"])
def test_a_value_that_is_no_key_is_refused(file: Path, value: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write_env_setting(file, NAME, value)
    assert not file.exists()
