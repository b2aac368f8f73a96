"""Arguments and a `.env` that no text can hold: one line and exit code 2."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adspark.errors import ConfigurationError
from adspark.settings import Settings, get_settings
from deployments.cli.main import app
from deployments.docker.image_digests import pin

NOT_UTF8 = {
    "Latin-1": b"A=\xe9\n",
    "UTF-16": "ADSPARK_SERPAPI_KEY=abc\n".encode("utf-16"),
    "UTF-16 without a mark": "ADSPARK_SERPAPI_KEY=abc\n".encode("utf-16-le"),
    "UTF-16 of another machine": "A=1\n".encode("utf-16-be"),
    "a password": b"PREFECT_SERVER_API_AUTH_STRING=a:\xff\n",
}


def call(folder: Path, *arguments: bytes) -> tuple[int, str]:
    """The command's exit code and what it says, in a folder."""
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"deployments.cli.main", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        ((b"task", b"a\xff"), r"argument 2: 'a\udcff' is not UTF-8 text."),
        ((b"retry", b"ok", b"\xed\xa0\x80"), "argument 3: "),
        ((b"run", b"fetch-creatives", b"-p", b"text=a\xff"), r"argument 4: 'text=a\udcff' is"),
        ((b"watch", b"create", b"x" * 5000 + b"\xe9"), "argument 3: 'xxx"),
        ((b"--\xff",), r"argument 1: '--\udcff' is"),
    ],
)
def test_an_argument_that_is_no_text_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[bytes, ...], shown: str
) -> None:
    code, said = call(tmp_path, *arguments)
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(f"Error: {shown}")
    assert len(said) < 150


@pytest.mark.parametrize("place", ["the environment", ".env"])
def test_a_password_that_prefects_server_cannot_compare_is_named_and_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    name, value = "PREFECT_SERVER_API_AUTH_STRING", "operator:pässword-of-ours"
    monkeypatch.delenv(name, raising=False)
    if place == ".env":
        (tmp_path / ".env").write_text(f"{name}={value}\n")
    else:
        monkeypatch.setenv(name, value)
    code, said = call(tmp_path, b"status")
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith(f"Error: {name}: holds what is no printable ASCII character")
    assert "ssword" not in said


def test_text_that_the_locale_cannot_read_is_not_blamed_on_who_wrote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")):
        monkeypatch.setenv(name, value)
    code, said = call(tmp_path, b"ads", b"search", "Größe".encode())
    assert code == 2
    assert "cannot be read in this locale; set LC_ALL=C.UTF-8." in said


def in_shell(folder: Path, database_url: str, line: str) -> subprocess.CompletedProcess[str]:
    """A line of a shell in a folder, in which `adspark` is the command."""
    adspark = f'adspark() {{ {shlex.quote(sys.executable)} -m deployments.cli.main "$@"; }}'
    paths = {"PYTHONPATH": str(Path(__file__).parents[3]), "ADSPARK_DATABASE_URL": database_url}
    return subprocess.run(
        ["sh", "-c", f"{adspark}; {line}"],
        cwd=folder,
        env=os.environ | paths,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_question_that_nobody_can_answer_ends_the_command(
    tmp_path: Path, database_url: str
) -> None:
    line = "adspark board create b; adspark board delete b <&-"
    done = in_shell(tmp_path, database_url, line)
    assert done.returncode == 1
    assert done.stderr.endswith("Aborted.\n")
    assert "Traceback" not in done.stderr


def test_a_folder_that_was_deleted_stops_no_command(tmp_path: Path, database_url: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    line = f"rmdir {gone}; adspark advertisers list; adspark ads export {gone}.csv"
    done = in_shell(gone, database_url, line)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("value", [r'"\ud800"', r'["a", "\udfff"]', r'{"\ud800": 1}'])
def test_half_a_character_in_a_parameters_json_is_refused(value: str) -> None:
    called = CliRunner().invoke(app, ["run", "fetch-creatives", "-p", f"text={value}"])
    assert isinstance(called.exception, ConfigurationError)
    assert str(called.exception).endswith("holds half a character.")


UTF16_AS_UTF8 = ("UTF-16 without a mark", "UTF-16 of another machine")  # they can be read so


@pytest.mark.parametrize("kind", NOT_UTF8)
def test_an_environment_file_that_is_not_utf8_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (tmp_path / ".env").write_bytes(NOT_UTF8[kind])
    told = ".env is not UTF-8; save it as UTF-8."
    if kind in UTF16_AS_UTF8:
        told = ".env is not UTF-8 text, for it holds NUL characters; save it as UTF-8 without them."
    assert call(tmp_path, b"db", b"current") == (2, f"Error: {told}\n")
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    with pytest.raises(ConfigurationError, match=f"^{told}$"):
        get_settings()
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        pin(tmp_path / ".env")


def test_an_environment_file_may_begin_with_a_mark_of_utf8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("ADSPARK_SERPAPI_URL=https://é.example\n", "utf-8-sig")
    monkeypatch.chdir(tmp_path)
    assert Settings().serpapi_url == "https://é.example"
