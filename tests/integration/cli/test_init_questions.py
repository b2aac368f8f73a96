"""`adspark init` before it starts anything: its questions, its options, and `.env`."""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adspark.sandbox.settings import SandboxSettings
from adspark.sandbox.testing import serve
from adspark.settings import get_settings
from benchmarks.ports import free_port
from deployments.cli.main import run
from tests.support.commanding import Command
from tests.support.sandbox_control import SANDBOX_KEY, searches
from tests.support.terminal import ADSPARK, CTRL_C, Shown, converse

KEY = ("SerpApi's key (not shown):", SANDBOX_KEY)
WHOSE = "Advertiser:"


@dataclass(frozen=True)
class Done:
    """How the command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


@dataclass
class Newcomer:
    """Somebody in a folder of their own, who has nothing yet."""

    folder: Path
    sandbox_url: str
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("ADSPARK_", "PREFECT_"))}
        ports = ("PREFECT", "METRICS", "GALLERY")
        return (
            clean
            | {f"ADSPARK_{name}_PORT": str(free_port()) for name in ports}
            | {"ADSPARK_HOME": str(self.folder / "home"), "ADSPARK_SERPAPI_URL": self.sandbox_url}
            | self.more
        )

    def asked(self, *options: str, answers: list[tuple[str, str | None]]) -> Shown:
        """`adspark init` in a terminal."""
        return converse(
            [ADSPARK, "init", *options], answers, environment=self.environment, folder=self.folder
        )

    def script(self, *options: str, given: str = "") -> Done:
        """`adspark init` in a script, within the test's process."""
        with self.monkeypatch.context() as patched:
            for name, value in self.environment.items():
                patched.setenv(name, value)
            patched.chdir(self.folder)
            patched.setattr("sys.stdin", io.StringIO(given))
            get_settings.cache_clear()
            code = run(["init", *options])
        said = self.capsys.readouterr()
        return Done(code, said.out, said.err)

    def has_left(self) -> list[str]:
        """What there is in the folder."""
        return sorted(one.name for one in self.folder.iterdir())


@pytest.fixture
def newcomer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Newcomer]:
    folder = tmp_path / "new"
    folder.mkdir()
    with serve(SandboxSettings()) as url:
        yield Newcomer(folder, url, monkeypatch, capsys)


@pytest.mark.parametrize(
    "answers",
    [
        [(KEY[0], CTRL_C)],
        [KEY, (WHOSE, CTRL_C)],
        [KEY, (WHOSE, "hubspot.com"), ("Spend the search? [y/N]:", CTRL_C)],
        [KEY, (WHOSE, "hubspot.com"), ("[y/N]:", "n"),
         ("Name of the watch [hubspot.com]:", CTRL_C)],
        [KEY, (WHOSE, "hubspot.com"), ("[y/N]:", "n"), ("[hubspot.com]:", ""),
         ("Minutes between two looks [60]:", CTRL_C)],
        [KEY, (WHOSE, "hubspot.com"), ("[y/N]:", "n"), ("[hubspot.com]:", ""), ("[60]:", ""),
         ("and start? [Y/n]:", CTRL_C)],
        [KEY, (WHOSE, "hubspot.com"), ("[y/N]:", "n"), ("[hubspot.com]:", ""), ("[60]:", ""),
         ("and start? [Y/n]:", "n")],
    ],
    ids=["key", "advertiser", "search", "name", "minutes", "start", "no"],
)  # fmt: skip
def test_ctrl_c_at_a_question_leaves_nothing(
    newcomer: Newcomer, answers: list[tuple[str, str | None]]
) -> None:
    shown = newcomer.asked(answers=answers)
    is_interrupted = answers[-1][1] == CTRL_C
    assert (shown.exit_code, newcomer.has_left()) == (130 if is_interrupted else 1, [])
    assert "Aborted" in shown.text
    assert SANDBOX_KEY not in shown.screen
    assert shown.widest <= 80, shown.screen
    assert searches(newcomer.sandbox_url)["billed"] == 0
    is_told = "The key was not written into .env; give it again next time." in shown.text
    assert is_told == (len(answers) > 1)
    if len(answers) == 6 + 1:
        said = "A month costs about 724 searches, 3,600 at most: 720 looks in 30 days."
        assert said in shown.text


def test_an_answer_that_cannot_be_used_is_told_why_and_asked_for_again(newcomer: Newcomer) -> None:
    shown = newcomer.asked(
        answers=[
            (KEY[0], ""),
            ("Nothing was typed", None),
            (KEY[0], "not a key"),
            ("no key: a key has letters and digits only", None),
            (KEY[0], "wrong-but-a-key"),
            ("SerpApi does not accept the key", None),
            KEY,
            (WHOSE, "Some Shoes"),
            (WHOSE, "🦊.com"),
            (WHOSE, "example.com"),
            ("[y/N]:", "n"),
            ("[example.com]:", "7"),
            ("would be taken for a number", None),
            ("[example.com]:", ""),
            ("[60]:", "soon"),
            ("[60]:", CTRL_C),
        ]
    )
    assert "SerpApi does not accept the key" in shown.text
    for unknown in ("Some Shoes", "🦊.com"):
        assert f"no stored advertiser is called '{unknown}', and it is no domain" in shown.text
    assert "give a domain such as example.com, or its AR number" in shown.text
    assert "give a number of minutes" in shown.text
    for secret in ("not a key", "wrong-but-a-key", SANDBOX_KEY):
        assert secret not in shown.screen
    assert newcomer.has_left() == []


@pytest.mark.parametrize(
    ("options", "given", "missing"),
    [
        ((), "", "--key-file"),
        (("--key-file=-",), SANDBOX_KEY, "--advertiser"),
        (("--key-file=-", "--advertiser=hubspot.com"), SANDBOX_KEY, "--search or --no-search"),
        (("--key-file=-", "--advertiser=hubspot.com", "--no-search"), SANDBOX_KEY, "--name"),
        (("--key-file=-", "--advertiser=hubspot.com", "--no-search", "--name=h"), SANDBOX_KEY,
         "--every"),
        (("--key-file=-", "--advertiser=hubspot.com", "--no-search", "--name=h", "--every=60"),
         SANDBOX_KEY, "--yes"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("--") else "",
)  # fmt: skip
def test_a_script_is_told_which_option_is_missing(
    newcomer: Newcomer, options: tuple[str, ...], given: str, missing: str
) -> None:
    done = newcomer.script(*options, given=given)
    assert (done.returncode, newcomer.has_left()) == (2, [])
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"Error: {missing} is missing, and nobody is here to ask")
    assert given not in done.stdout + done.stderr or not given


@pytest.mark.parametrize(
    ("options", "given", "told"),
    [
        (("--key-file=-",), "wrong-but-a-key", "SerpApi does not accept the key (401)"),
        (("--key-file=-",), "a\x1bkey", "--key-file: this is no key: a key has letters and digits"),
        (("--key-file=-",), "", "--key-file: it is empty"),
        (("--key-file=-",), "short", "it has 5 characters, a key has 8 to 200"),
        (("--key-file=-",), 20_000 * "a", "it has 10,000 characters or more, a key has 8 to 200"),
        (("--key-file=/no/such",), "", "--key-file: /no/such: No such file or directory"),
        (("--key-file=-", "--advertiser=Shoes", "-y"), SANDBOX_KEY,
         "no stored advertiser is called 'Shoes'"),
        (("--key-file=-", "--advertiser=nothing-here.example", "-y"), SANDBOX_KEY,
         "called 'nothing-here.example', and it is no domain (letters, digits and hyphens before a "
         "public ending, such as .com); give a domain such as example.com"),
        (("--key-file=-", "--advertiser=h.com", "-y", "--region=Germny"), SANDBOX_KEY,
         "did you mean 'Germany'?"),
        (("--key-file=-", "--advertiser=h.com", "-y", "--every=1"), SANDBOX_KEY, "--every"),
        (("--key-file=-", "--advertiser=h.com", "-y", "--name=7"), SANDBOX_KEY, "name: '7'"),
        (("--key-file=-", f"--advertiser=AR{20 * '0'}", "-y"), SANDBOX_KEY, "only zeros"),
        (("--sandbox", "--advertiser=h.com"), "", "afterwards: adspark watch create"),
        (("--sandbox", "--every=60"), "", "afterwards: adspark watch create"),
        (("--sandbox", "--key-file=-"), SANDBOX_KEY, "--sandbox: takes no key"),
    ],
)  # fmt: skip
def test_a_mistake_of_a_script_is_told_and_leaves_nothing(
    newcomer: Newcomer, options: tuple[str, ...], given: str, told: str
) -> None:
    done = newcomer.script(*options, given=given)
    assert (done.returncode, newcomer.has_left()) == (2, [])
    assert told in " ".join(done.stderr.replace("│", " ").split())
    assert not given or given not in done.stdout + done.stderr


def test_a_port_that_is_taken_is_told_before_anything_is_asked(newcomer: Newcomer) -> None:
    with serve(SandboxSettings()) as other:
        port = other.rpartition(":")[2]
        newcomer.more["ADSPARK_GALLERY_PORT"] = port
        done = newcomer.script()
    assert (done.returncode, newcomer.has_left()) == (2, [])
    assert f"Port {port} for the gallery is taken" in done.stderr


@pytest.mark.parametrize("place", [".env", "home"])
def test_what_cannot_be_written_is_told_before_anything_is_asked(
    newcomer: Newcomer, place: str
) -> None:
    if place == ".env":
        (newcomer.folder / ".env").mkdir()
        told = ".env is not a file; move it away."
    else:
        (newcomer.folder / "home").touch()
        told = f"ADSPARK_HOME: {newcomer.folder / 'home'}"
    shown = newcomer.asked(answers=[])
    assert shown.exit_code == 2
    assert told in shown.text
    assert "key" not in shown.text.replace("this key", "")
    assert newcomer.has_left() == [place]


def test_serpapi_that_is_away_leaves_nothing(newcomer: Newcomer) -> None:
    newcomer.more["ADSPARK_SERPAPI_URL"] = f"http://127.0.0.1:{free_port()}"
    done = newcomer.script("--key-file=-", given=SANDBOX_KEY)
    assert (done.returncode, newcomer.has_left()) == (1, [])
    assert "cannot be reached" in done.stderr
    assert "check this machine's network, HTTPS_PROXY and ADSPARK_SERPAPI_URL" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--advertiser=example.com", "--name=one"), "name: watch 1 is called 'one' already"),
        (("--advertiser=hubspot.com", "--name=one", "--every=90"), "adspark watch change 1"),
        (("--region=DE",), "Error: --advertiser is missing"),
    ],
    ids=["another search", "another interval", "nobody's"],
)
def test_beside_a_watch_nothing_that_is_given_is_dropped(
    newcomer: Newcomer, configured_database: str, options: tuple[str, ...], told: str
) -> None:
    Command("watch").told("create", "one", "--text=hubspot.com")
    newcomer.more["ADSPARK_DATABASE_URL"] = configured_database
    done = newcomer.script("--key-file=-", "--no-search", "--yes", *options, given=SANDBOX_KEY)
    assert (done.returncode, newcomer.has_left()) == (2, [])
    assert told in done.stderr
