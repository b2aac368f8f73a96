"""What serves says in one line which port or host it cannot have, and announces nothing before."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adspark.settings import get_settings
from deployments.cli.main import run

COMMANDS = [["sandbox"], ["mcp", "--http"]]
MODULES = ["adspark.sandbox", "deployments.gallery.server", "deployments.server.app"]
BAD_HOST = "--host: '256.1.1.1' is no address of this machine"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ADSPARK_HOME", str(tmp_path))
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_command_names_the_port_or_the_host(
    command: list[str], taken: int, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run([*command, "--port", str(taken)]) == 2
    assert run([*command, "--host", "256.1.1.1"]) == 2
    said = capfd.readouterr()
    first, second = said.err.splitlines()
    assert said.out == ""
    assert first.startswith(f"Error: Port {taken} for ")
    assert first.endswith("; stop that, or set --port.")
    assert second.startswith(f"Error: {BAD_HOST}")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("wrong", ["--port", "--host"])
def test_so_does_a_process_of_the_stack(module: str, wrong: str, taken: int) -> None:
    value = {"--port": str(taken), "--host": "256.1.1.1"}[wrong]
    told = {"--port": f"Port {taken} for ", "--host": BAD_HOST}[wrong]
    command = [sys.executable, "-m", module, wrong, value]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: {told}")
    assert done.stderr.count("\n") == 1


def test_no_user_is_chosen_for_assistants_where_everybody_signs_in(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert run(["mcp", "--http", "--host", "0.0.0.0", "--user", "7"]) == 2
    assert capfd.readouterr().err == (
        "Error: --user: whoever asks signs in here, and sees their own; leave it out.\n"
    )
