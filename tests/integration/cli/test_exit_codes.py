"""Every command ends with 0, 1 or 2: done; failed, and the same call may do later; change it."""

import io
import json
import tempfile
from pathlib import Path

import pytest

from adspark.settings import get_settings
from deployments.cli.main import run
from tests.support.commands import leaf_commands, options_of

AD = "CR00000000000000000099"
NOBODY = ["--user=nobody"]
# By what a command needs: its arguments that are well, and those that name what is not there.
DATABASE: dict[str, tuple[list[str], list[str] | None]] = {
    "ads search": ([], NOBODY),
    "ads export": (["{folder}/a.csv"], ["{folder}/a.csv", "--board=nothing"]),
    "ads show": ([AD], [AD]),
    "ads details": ([AD, "--yes"], [AD, "--yes"]),
    "ads similar": ([AD], [AD]),
    "ads tag": ([], ["good", AD]),
    "ads note": ([AD, "text"], [AD, "text"]),
    "ads title": ([AD, "text"], [AD, "text"]),
    "advertisers list": ([], None),
    "advertisers find": (["nobody"], None),
    "advertisers show": (["nobody"], ["nobody"]),
    "advertisers compare": (["one", "two"], ["one", "two"]),
    "insight timeline": (["nobody"], ["nobody"]),
    "insight mix": (["nobody"], ["nobody"]),
    "insight regions": (["nobody"], ["nobody"]),
    "insight longest": (["nobody"], ["nobody"]),
    "insight survival": (["nobody"], ["nobody"]),
    "insight share": ([], ["nobody"]),
    "insight campaigns": (["nobody"], ["nobody"]),
    "insight library": (["nobody"], ["nobody"]),
    "watch create": (["one", "--text=example.com"], ["one", "--advertiser=nobody"]),
    "watch change": (["nothing", "--budget=1"], ["nothing", "--budget=1"]),
    "watch pause": (["nothing"], ["nothing"]),
    "watch resume": (["nothing"], ["nothing"]),
    "watch delete": (["nothing", "--yes"], ["nothing", "--yes"]),
    "watch list": ([], NOBODY),
    "watch show": (["nothing"], ["nothing"]),
    "watch import": (["{folder}/watches.yaml"], ["{folder}/nothing.yaml"]),
    "watch export": ([], NOBODY),
    "board create": (["one"], ["one", *NOBODY]),
    "board list": ([], NOBODY),
    "board add": (["nothing", AD], ["nothing", AD]),
    "board remove": (["nothing", AD], ["nothing", AD]),
    "board show": (["nothing"], ["nothing"]),
    "board delete": (["nothing", "--yes"], ["nothing", "--yes"]),
    "variant request": ([AD, "--prompt=x"], [AD, "--prompt=x"]),
    "variant list": ([], NOBODY),
    "variant show": (["99"], ["99"]),
    "variant open": (["99"], ["99"]),
    "variant retry": (["99"], ["99"]),
    "variant check": (["99"], ["99"]),
    "variant review": (["99", "--approve"], ["99", "--approve"]),
    "variant stats": ([], NOBODY),
    "variant outcomes": ([], NOBODY),
    "variant export": (
        ["{folder}/v.csv", "--campaign=a", "--ad-group=b", "--final-url=https://a.example"],
        ["{folder}/v.txt", "--campaign=a", "--ad-group=b", "--final-url=https://a.example"],
    ),
    "variant cancel": (["99"], ["99"]),
    "batch create": ([AD, "--prompt=x"], [AD, "--prompt=x"]),
    "batch list": ([], NOBODY),
    "batch show": (["99"], ["99"]),
    "batch pause": (["99"], ["99"]),
    "batch resume": (["99"], ["99"]),
    "batch cancel": (["99", "--yes"], ["99", "--yes"]),
    "rules set": (["{folder}/rules.yaml"], ["{folder}/nothing.yaml"]),
    "rules show": ([], NOBODY),
    "rules history": ([], NOBODY),
    "users add": (["anna"], None),
    "users list": ([], None),
    "users rename": (["99", "anna"], ["nobody", "anna"]),
    "users password": (["99", "--stdin"], ["nobody", "--stdin"]),
    "users lock": (["99"], ["nobody"]),
    "users weigh": (["99", "3"], ["nobody", "3"]),
    "users budget": (["99", "3"], ["nobody", "3"]),
    "budget": ([], None),
    "db create": ([], None),
    "db upgrade": ([], None),
    "db current": ([], None),
    "db check": ([], None),
}
SERVER: dict[str, list[str]] = {
    "run": ["fetch-creatives"],
    "status": [],
    "top": [],
    "monitor": ["1"],
    "task": ["nothing"],
    "failures": [],
    "retry": ["--all"],
    "purge": ["--yes"],
    "pause": ["default"],
    "resume": ["default", "--catch-up"],
    "drain": ["default"],
    "scale": ["default", "1"],
    "worker": ["default"],
    "provision": [],
    "metrics": [],
}
NEITHER = {
    "fetch",
    "up",
    "down",
    "demo",
    "sandbox",
    "init",
    "doctor",
    "report",
    "mcp",
    "rules check",
}


@pytest.fixture(autouse=True)
def _temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the tests: the command `worker` takes one that is only its user's."""
    monkeypatch.setenv("TMPDIR", tempfile.gettempdir())
    monkeypatch.setattr(tempfile, "tempdir", tempfile.gettempdir())


@pytest.fixture
def folder(tmp_path: Path, configured_database: str) -> Path:
    """With a file of watches."""
    (tmp_path / "watches.yaml").write_text("watches: [{name: one, text: example.com}]\n")
    (tmp_path / "rules.yaml").write_text("banned_words: [free]\n")
    return tmp_path


def ends(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code, and standard error."""
    code = run(arguments)
    return code, capsys.readouterr().err


def test_every_command_is_here() -> None:
    assert {*DATABASE, *SERVER, *NEITHER} == leaf_commands().keys()


@pytest.mark.parametrize("name", leaf_commands())
def test_an_unknown_option_is_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, told = ends(capsys, *name.split(), "--nothing-of-the-kind")
    assert code == 2
    assert "No such option" in told
    if "--json" in options_of(leaf_commands()[name]):
        code, told = ends(capsys, *name.split(), "--nothing-of-the-kind", "--json")
        document = json.loads(told)
        assert (code, document["schema"], document["exit_code"]) == (2, "error/1", 2)


@pytest.mark.parametrize(
    "arguments", [("ads", "search", "shoes", "-kids"), ("users", "budget", "1", "-5")]
)
def test_how_a_value_that_begins_with_a_hyphen_is_given_is_said(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = ends(capsys, *arguments)
    assert (code, "Write -- before values" in " ".join(told.split())) == (2, True), told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("ads", "search", "--format", "gif"), "'gif' is not one of 'text', 'image', 'video'."),
        (("ads", "search", "--limit", "many"), "'many' is not a whole number."),
        (("batch", "list", "--limit", "1_0"), "'1_0' is not a whole number."),
        (("variant", "show", "1.0"), "'1.0' is not a whole number."),
        (("batch", "list", "--limit", "٣"), "'٣' is not a whole number."),
        (("ads", "search", "--limit", "1001"), "'1001' is more than 1000."),
    ],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_a_value_that_an_option_cannot_have_is_told_in_our_words(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, error = ends(capsys, *arguments, "--json")
    place = arguments[2] if arguments[2].startswith("--") else "ID"
    message = f"Invalid value for '{place}': {told}"
    assert (code, json.loads(error)["message"]) == (2, message)


@pytest.mark.parametrize(
    "arguments",
    [
        ("ads", "show", "CR1\nCR2"),
        ("ads", "similar", "CR1\nCR2"),
        ("ads", "tag", "good", "CR1\nCR2"),
        ("variant", "request", "CR1\nCR2", "--prompt=x"),
        ("ads", "search", "--board=a\nb"),
    ],
    ids=lambda one: " ".join(one[:2]),
)
def test_an_error_is_one_line_whatever_it_quotes(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = ends(capsys, *arguments)
    assert (code, told.count("\n")) == (2, 1), told


@pytest.mark.parametrize("name", [name for name, (_, wrong) in DATABASE.items() if wrong])
def test_a_name_that_there_is_not_is_2(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long password\n"))
    wrong = [one.format(folder=folder) for one in DATABASE[name][1] or []]
    code, told = ends(capsys, *name.split(), *wrong)
    assert (code, told.startswith("Error: ")) == (2, True), told
    code, told = ends(capsys, *name.split(), *wrong, "--json")
    assert code == 2
    assert json.loads(told.splitlines()[-1])["exit_code"] == 2


@pytest.mark.parametrize("name", DATABASE)
def test_a_database_that_is_away_is_1(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a long password\n"))
    monkeypatch.setenv("ADSPARK_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/nothing")
    get_settings.cache_clear()
    well = [one.format(folder=folder) for one in DATABASE[name][0]]
    code, told = ends(capsys, *name.split(), *well, "--json")
    error = json.loads(told.splitlines()[-1])
    assert (code, error["schema"], error["exit_code"]) == (1, "error/1", 1), told
    assert "secret" not in told


@pytest.mark.parametrize("name", SERVER)
def test_without_a_stack_it_is_2_and_the_remedy_is_told(
    name: str, configured_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = ends(capsys, *name.split(), *SERVER[name])
    assert code == 2
    assert "adspark up" in told
