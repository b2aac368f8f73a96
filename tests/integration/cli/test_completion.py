"""The shell completes names: quick, and silent where the database is away."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer._completion_shared import get_completion_script

import deployments
from benchmarks.ports import free_port
from deployments.queue_classes import POOL_NAMES
from tests.support.commanding import Command

HEAVY = {"sqlalchemy", "prefect", "httpx", "sqlmodel", "alembic", "docker"}
_CODE = (
    "import atexit, sys; from deployments.cli.main import main; sys.argv[0] = 'adspark'\n"
    "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
)
watch, users = Command("watch"), Command("users")


def completed(*words: str, **variables: str) -> list[str]:
    """What bash offers for the last of these words."""
    asked = {
        "_ADSPARK_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(("adspark", *words)),
        "COMP_CWORD": str(len(words)),
    }
    done = subprocess.run(
        [sys.executable, "-c", _CODE], env=os.environ | asked | variables, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert HEAVY & set(done.stderr.split()) == set()
    assert len(done.stderr.splitlines()) == 1  # the modules alone
    return [line for line in done.stdout.splitlines() if line]


def test_pools_and_flows_are_completed_without_a_database() -> None:
    assert completed("pause", "") == list(POOL_NAMES)
    assert completed("run", "fetch-") == ["fetch-creatives", "fetch-details"]


@pytest.mark.usefixtures("configured_database")
def test_watches_and_users_are_completed_as_the_shell_takes_them() -> None:
    users.told("add", "ana")
    for name in ("hubspot", "New Balance", "$(touch x)", "Straße"):
        watch.told("create", name, "--text", f"example{len(name)}.com")
    assert sorted(completed("watch", "show", "")) == sorted(
        ["hubspot", r"New\ Balance", r"\$\(touch\ x\)", "Straße"]
    )
    assert completed("watch", "show", "HUB") == ["hubspot"]
    assert completed("watch", "list", "--user", "") == ["ana"]
    assert completed("users", "lock", "b") == []


class Bash:
    """An interactive bash with the command's completion, as Typer installs it."""

    def __init__(self, folder: Path) -> None:
        command = folder / "adspark"
        command.write_text(f"#!{sys.executable}\nfrom deployments.cli.main import main\nmain()\n")
        command.chmod(0o755)
        script = folder / "completion.sh"
        script.write_text(
            get_completion_script(
                prog_name="adspark", complete_var="_ADSPARK_COMPLETE", shell="bash"
            )
            + '\nbind -x \'"\\C-t": printf "<<%s>>" "$READLINE_LINE"\'\n'
        )
        ours, self._screen = os.openpty()
        self._shell = subprocess.Popen(
            ["bash", "--noprofile", "--rcfile", script, "-i"],
            stdin=ours,
            stdout=ours,
            stderr=ours,
            start_new_session=True,
            cwd=folder,
            env=os.environ
            | {
                "PATH": f"{folder}:{os.environ['PATH']}",
                "PYTHONPATH": str(Path(deployments.__file__).parents[1]),
                "TERM": "dumb",
            },
        )
        os.close(ours)

    def complete(self, typed: str) -> str:
        """The line after a Tab behind what is typed."""
        os.write(self._screen, f"\x15{typed}\t\x14".encode())
        shown = ""
        while not (found := re.search(r"<<(.*)>>", shown)):
            shown += os.read(self._screen, 4096).decode()
        return found[1]

    def close(self) -> None:
        self._shell.kill()
        self._shell.wait()
        os.close(self._screen)


@pytest.fixture
def bash(tmp_path: Path) -> Iterator[Bash]:
    opened = Bash(tmp_path)
    yield opened
    opened.close()


@pytest.mark.usefixtures("configured_database")
def test_bash_puts_what_it_reads_as_the_name_again(bash: Bash) -> None:
    names = ("dol$lar $HOME", "co:lon", "a=b", "a b", "it's", "--dash", "wow! so", 'say "so"')
    for number, name in enumerate(names):
        watch.told("create", "--text", f"example{number}.com", "--", name)
    show = "adspark watch show "
    for typed, line in {
        '"do': '"dol\\$lar \\$HOME" ',
        "'do": "'dol$lar $HOME' ",
        "do": "dol\\$lar\\ \\$HOME ",
        "co": "co\\:lon ",
        "co:": "co:lon ",
        "co:l": "co:lon ",
        '"co:': '"co:lon" ',
        "a=": "a=b ",
        "a\\ ": "a\\ b ",
        '"a ': '"a b" ',
        "'it": "'it'\\''s' ",
        "it": "it\\'s ",
        "-- --d": "-- --dash ",
        '"wow': '"wow"\'!\'" so" ',
        "say": 'say\\ \\"so\\" ',
    }.items():
        assert bash.complete(show + typed) == show + line
    assert bash.complete("adspark ads search --watch=co:") == "adspark ads search --watch=co:lon "
    assert "-- --dash" in completed("watch", "show", "")


@pytest.mark.usefixtures("configured_database")
def test_zsh_is_offered_no_name_that_it_would_read_as_another() -> None:
    for number, name in enumerate(("it's", 'say "so"', "--dash", "a b")):
        watch.told("create", "--text", f"example{number}.com", "--", name)
    asked = {"_ADSPARK_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "adspark watch show "}
    done = subprocess.run(
        [sys.executable, "-c", _CODE], env=os.environ | asked, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "_arguments '*: :((\"a b\"))'"


@pytest.mark.usefixtures("configured_database")
def test_without_a_database_nothing_is_completed_and_nothing_said() -> None:
    away = f"postgresql://x:secret@127.0.0.1:{free_port()}/adspark"
    assert completed("watch", "show", "", ADSPARK_DATABASE_URL=away) == []
    assert completed("watch", "show", "", ADSPARK_DATABASE_URL="not an address") == []
    assert completed("watch", "show", "", ADSPARK_DRAIN_TIME="x") == []


def test_a_database_that_does_not_answer_is_left_alone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://x@127.0.0.1:{silent.getsockname()[1]}/adspark"
        assert completed("watch", "show", "", ADSPARK_DATABASE_URL=url) == []
        connection, _ = silent.accept()  # it was asked, and has given no answer
        connection.close()


def test_no_server_is_started_to_complete_a_name() -> None:
    home = Path(os.environ["ADSPARK_HOME"])
    assert completed("watch", "show", "") == []
    assert not home.exists()
